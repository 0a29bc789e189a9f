"""Pages: functions from the board to what the stage shows. Text only; no widgets, no database."""
