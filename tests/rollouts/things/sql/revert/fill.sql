UPDATE things SET filled = NULL WHERE filled IS NOT NULL;
