-- Only where step 1.1 created it. No CASCADE: if another trigger uses it by now, this stops and names it.
DROP FUNCTION IF EXISTS update_updated_at_column();
