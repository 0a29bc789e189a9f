UPDATE tickets SET priority = DEFAULT WHERE priority = 1;
