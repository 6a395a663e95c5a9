-- Fills the tables of a peer with a region of load.students students; see README.md for the shape. Accounts are there
-- already: guardians first, then teachers.
SET session_replication_role = replica; -- no foreign key checks during the load: the data are right by construction

INSERT INTO schools (id, name)
SELECT n, 'Средняя школа № ' || n FROM generate_series(1, current_setting('load.schools')::int) n;

INSERT INTO school_classes (id, school_id, name)
SELECT n, 1 + (n - 1) / 24, (1 + (n - 1) % 11) || '-' || substr('АБВ', 1 + (n - 1) % 3, 1)
FROM generate_series(1, current_setting('load.students')::int / 25) n;

INSERT INTO students (id, school_class_id, last_name, first_name, patronymic)
SELECT n, 1 + (n - 1) / 25, 'Иваненко', 'Анна', 'Сергеевна' FROM generate_series(1, current_setting('load.students')::int) n;

INSERT INTO guardians (id, account_id, last_name, first_name, patronymic)
SELECT n, n, 'Иваненко', 'Ольга', 'Петровна' FROM generate_series(1, 2 * current_setting('load.students')::int) n;

INSERT INTO grants (guardian_id, student_id, start_date)
SELECT n, (n + 1) / 2, '2020-09-01' FROM generate_series(1, 2 * current_setting('load.students')::int) n;

INSERT INTO subjects (id, school_id, name)
SELECT (s - 1) * 14 + n, s, (ARRAY['Русский язык', 'Литература', 'Алгебра', 'Геометрия', 'Вероятность и статистика', 'История',
    'Обществознание', 'География', 'Биология', 'Физика', 'Химия', 'Информатика', 'Английский язык', 'Физическая культура'])[n]
FROM generate_series(1, current_setting('load.schools')::int) s, generate_series(1, 14) n;

INSERT INTO teachers (id, account_id, school_id, last_name, first_name, patronymic)
SELECT (s - 1) * 30 + n, 2 * current_setting('load.students')::int + (s - 1) * 30 + n, s, 'Коваленко', 'Мария', 'Александровна'
FROM generate_series(1, current_setting('load.schools')::int) s, generate_series(1, 30) n;

INSERT INTO courses (id, school_class_id, subject_id)
SELECT (c.id - 1) * 14 + n, c.id, (c.school_id - 1) * 14 + n FROM school_classes c, generate_series(1, 14) n;

INSERT INTO course_teachers (course_id, teacher_id)
SELECT c.id, (s.school_id - 1) * 30 + 1 + (c.id + k) % 30
FROM courses c JOIN subjects s ON s.id = c.subject_id, generate_series(0, 1) k
WHERE k = 0 OR c.id % 7 = 0; -- a seventh of the courses has two teachers

INSERT INTO lessons (id, course_id, lesson_date, lesson_number, topic, homework, work_type)
SELECT ((c - 1) * 34 + week) * 35 + slot + 1, (c - 1) * 14 + 1 + slot % 14, date '2026-09-07' + 7 * week + slot / 7, 1 + slot % 7,
    'Тема урока № ' || week * 3 + slot / 14 || ' по плану', CASE WHEN slot % 5 < 4 THEN '§ ' || week + 1 || ', упр. ' || 10 + slot ELSE '' END,
    CASE WHEN slot % 11 = 0 THEN 'контрольная работа' ELSE '' END
FROM generate_series(1, current_setting('load.students')::int / 25) c, generate_series(0, 33) week, generate_series(0, 34) slot;

INSERT INTO marks (lesson_id, student_id, value, revision, create_time)
SELECT l.id, s.id, 2 + (hashint8(l.id::bigint * 1000003 + s.id) & 3), 1, l.lesson_date + time '12:00'
FROM lessons l JOIN courses c ON c.id = l.course_id JOIN students s ON s.school_class_id = c.school_class_id
WHERE (hashint8(s.id::bigint * 1000003 + l.id) & 1023) < 215; -- 250 a student and year

INSERT INTO attendance (lesson_id, student_id, code)
SELECT l.id, s.id, (ARRAY['Н', 'У', 'Б', 'О'])[1 + (s.id % 4)]
FROM lessons l JOIN courses c ON c.id = l.course_id JOIN students s ON s.school_class_id = c.school_class_id
WHERE (hashint8(s.id::bigint * 1000003 + (l.lesson_date - date '2026-01-01')) & 1023) < 50;

SET session_replication_role = origin;
SELECT setval(pg_get_serial_sequence('marks', 'id'), (SELECT max(id) FROM marks)),
    setval(pg_get_serial_sequence('attendance', 'id'), (SELECT max(id) FROM attendance));
