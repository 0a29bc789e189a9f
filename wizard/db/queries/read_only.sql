-- Whether the server has been told meanwhile to refuse writes, as platforms do when the disk is full. The session's own
-- setting is ours; this is what another session would begin with: what is set for the role in this database goes before
-- what is set for the role, that before what is set for the database, and that before what is set for all.
SELECT coalesce(
           (SELECT split_part(one, '=', 2)::boolean
            FROM pg_db_role_setting AS s CROSS JOIN unnest(s.setconfig) AS one
            WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
              AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = session_user))
              AND starts_with(one, %(name)s || '=')
            ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1),
           (SELECT reset_val = 'on' FROM pg_show_all_settings() AS s WHERE s.name = %(name)s)
       ) AS read_only
