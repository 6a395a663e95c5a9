-- The accounts and their tokens, as the driver computes them.
INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_superuser, is_staff, is_active, date_joined)
SELECT n, 'user' || n, '!', '', '', '', false, false, true, now() FROM generate_series(1, current_setting('load.accounts')::int) n;

INSERT INTO authtoken_token (key, user_id, created)
SELECT substr(encode(sha256(('account ' || n)::bytea), 'hex'), 1, 40), n, now()
FROM generate_series(1, current_setting('load.accounts')::int) n;
