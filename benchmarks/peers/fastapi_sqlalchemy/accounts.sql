-- The accounts; their tokens are signed by the driver.
INSERT INTO accounts (id, login) SELECT n, 'user' || n FROM generate_series(1, current_setting('load.accounts')::int) n;
