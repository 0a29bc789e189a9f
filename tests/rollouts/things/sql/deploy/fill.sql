UPDATE things SET filled = 'n' || n WHERE filled IS NULL;
