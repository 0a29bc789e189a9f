-- Whether the server has been told meanwhile to refuse writes, as platforms do when the disk is full. The session's own
-- setting is ours; this is what another session would begin with.
SELECT (SELECT reset_val = 'on' FROM pg_show_all_settings() AS s WHERE s.name = %(name)s)
       OR EXISTS (SELECT FROM pg_db_role_setting AS s
                  WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
                    AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
                    AND %(name)s || '=on' = ANY (s.setconfig)) AS read_only
