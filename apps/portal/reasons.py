"""The one table from an error's reason to a sentence in Russian. A contract test fails when a reason has none.

A reason that several services share means the same in each, so the table needs no domains.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from apps.portal.words import count

# Said where nobody knows whose hand it was.
CHANGED_MEANWHILE = "изменено тем временем другим сотрудником или вами в другой вкладке"

SENTENCES = {
    # Every service.
    "REQUEST_INVALID": "Данные заполнены неверно. Проверьте форму и отправьте снова.",
    "TOKEN_MISSING": "Нужно войти в дневник.",
    "TOKEN_INVALID": "Время входа истекло. Войдите снова.",
    "ROLE_NOT_ALLOWED": "Для вашей роли это действие не предусмотрено.",
    "REQUEST_ID_REUSED": "Эта форма уже была отправлена с другими данными. Откройте страницу заново и повторите.",
    "PAGE_TOKEN_INVALID": "Список изменился. Откройте его с начала.",
    "DATABASE_UNAVAILABLE": "Дневник сейчас недоступен. Подождите минуту и повторите.",
    "REQUEST_IN_PROGRESS": "Это же действие ещё выполняется. Подождите несколько секунд и повторите.",
    "METHOD_NOT_DECLARED": "Действие недоступно из-за ошибки установки дневника. Сообщите в школу.",
    "SERVICE_NOT_ALLOWED": "Действие недоступно из-за ошибки установки дневника. Сообщите в школу.",
    "REQUEST_TOO_LARGE": "Данных или файлов слишком много для одной отправки. Разделите их и отправьте по частям.",
    # access
    "SIGN_IN_FAILED": "Логин или пароль не подошли.",
    "SIGN_IN_BLOCKED": "Слишком много попыток входа. Попробуйте позже.",
    "SIGN_IN_BUSY": "Сейчас одновременно входит очень много людей. Подождите несколько секунд и повторите.",
    "SESSION_ENDED": "Вход завершён. Войдите снова.",
    "GRANT_NOT_FOUND": "Такого доступа нет.",
    "SCHOOL_NOT_FOUND": "Такой школы нет среди ваших.",
    "STUDENT_NOT_FOUND": "Такого ученика нет среди тех, чей дневник вам открыт.",
    "ENDING_PENDING": "Доступ прекращён, подтверждение ещё идёт. Повторите через минуту.",
    "APPLICATION_NOT_FOUND": "Такого заявления нет среди тех, что вам открыты.",
    "PERSON_NOT_FOUND": "Такого человека нет среди представителей ученика.",
    "APPLICANT_INCOMPLETE": "Укажите фамилию заявителя и кем он приходится ребёнку.",
    "NAME_INVALID": "В имени могут быть только буквы, дефис, апостроф, точка и пробел. Проверьте фамилию, имя и отчество.",
    "AUTHORITY_DOCUMENT_INVALID": "Укажите вид документа, номер и дату: «свидетельство о рождении I-АЯ № 000000».",
    "AUTHORITY_DATES_INVALID": "Проверьте даты документа: у доверенности нужна дата или срок; дата не позже сегодняшней, "
    "срок не раньше даты.",
    "RELATION_NOT_SHOWN": "Один из подписавших не подтвердил родство документом. Зарегистрируйте его заявление отдельно.",
    "SCHOOL_DETAILS_MISSING": "Решение не составить: в реквизитах школы не заполнено то, что в нём печатается.",
    "REGULATION_KNOWN": "Редакция регламента с этого дня уже внесена.",
    "WITHDRAWAL_OF_ANOTHER": "Заявление подали двое. Чтобы отозвать его, обратитесь в школу: отзыв записывают со слов обоих.",
    "EMAIL_MISSING": "Чтобы направить логин и пароль по электронной почте, укажите её адрес.",
    "RECEIVED_IN_FUTURE": "Время поступления ещё не наступило. Проверьте дату и время.",
    "CALENDAR_UNKNOWN": "Производственный календарь этого года ещё не загружен. Сообщите оператору региональной системы.",
    "CHECKLIST_INCOMPLETE": "Доступ пока нельзя предоставить: не все условия проверки выполнены.",
    "APPLICATION_DECIDED": "По этому заявлению решение уже принято.",
    "SLIP_ALREADY_ISSUED": "Эта памятка уже напечатана. Если листок испорчен или не скачался, напечатайте новую.",
    "DOCUMENTS_UNAVAILABLE": "Памятка не напечатана: печать документов сейчас недоступна. Прежний пароль действует, повторите.",
    "CREDENTIALS_INVALID": "Ссылка, логин или одноразовый пароль не подошли. Проверьте их или попросите новые в школе.",
    "PASSWORD_TOO_WEAK": "Пароль слишком простой. Придумайте другой, длиннее; одноразовый пароль для этого не подходит.",
    "PASSWORD_NOT_SET": "Это одноразовый пароль. Введите его ещё раз здесь и придумайте свой.",
    "DELIVERY_NOT_WANTED": "Доступ прекращён, или свой пароль уже создан.",
    "NOT_HANDED_OVER_YET": "Выдавать нечего: новая памятка ещё не напечатана.",
    "IMPORT_NOT_FOUND": "Такой загрузки нет: после её окончания сведения о ней хранятся 30 дней.",
    "IMPORT_NOT_PLANNED": "Эта загрузка уже подтверждена или отменена. Посмотрите, что с ней стало.",
    "ENROLMENT_ORDER_INVALID": "Укажите и номер, и дату приказа о зачислении или оставьте оба поля пустыми; проверьте даты.",
    "CLASS_NOT_FOUND": "Такого класса нет среди тех, что вам открыты.",
    "GUARDIAN_UNDER_AGE": "Такое родство не подходит к возрасту ученика.",
    "NOTHING_TO_GRANT": "Это заявление об отказе от услуги: доступ по нему не предоставляется.",
    "STUDENT_UNDER_AGE": "Ученик этого возраста не подаёт такое заявление сам.",
    "GUARDIANSHIP_NOT_FOUND": "Такого действующего представительства нет.",
    "NOT_ENROLLED": "В этот день ученик не зачислен в школу.",
    "PLACED_LATER": "Класс или группа ученика начинается позже дня выбытия: сначала измените их.",
    "CODE_MISSING": "Введите код из приложения.",
    "CODE_WRONG": "Код неверный или уже использован. Дождитесь следующего.",
    "CODE_BLOCKED": "Слишком много неверных кодов. Попробуйте позже.",
    "SESSION_ENDED_BY_CODES": "Пять неверных кодов подряд: вход завершён, ничего не сделано. Войдите снова.",
    "TOTP_ENROLLED": "Второй фактор уже подключён.",
    "TOTP_NOT_ENROLLED": "Сначала подключите второй фактор: без него решение не подписать.",
    "GROUND_NOT_PROVED": "Это основание отказа не подтверждается данными школы.",
    "NO_REFUSAL_PROPOSED": "По этому заявлению отказ не подготовлен.",
    "NOTHING_TO_WITHDRAW": "Заявление уже подействовало, отзывать нечего. Вернёт доступ новое заявление (Приложение № 1).",
    "DECISION_NOT_READY": "Решение на бумаге ещё оформляется. Обновите страницу через минуту.",
    "DECISION_NOT_SIGNED": "На решении ещё нет подписи директора. Сначала загрузите скан подписанного листа или файл подписи.",
    "PAPER_DECLARATION_NOT_FOUND": "Такого заявления об информировании на бумаге нет среди ваших. Откройте страницу заново.",
    "STATEMENT_NOT_OWN": "Здесь подают только заявление об отмене, за себя. Другие заявления принимает классный руководитель.",
    "DECLARED_IN_FUTURE": "Дата заявления ещё не наступила. Укажите сегодняшнюю или более раннюю.",
    "APPLICANT_KNOWN": "Человек с таким именем уже записан рядом с этим учеником. Выберите его из списка или отметьте, "
    "что это другой человек; с тем же родством и документом это тот же.",
    "NOTHING_TO_SHOW": "Для этого заявителя документ не нужен: подаёт сам ученик, или родство уже подтверждено.",
    "PRINTOUT_WAY_NOTE_REQUIRED": "Напишите, как именно передавать распечатку.",
    "ETAG_STALE": f"Данные: {CHANGED_MEANWHILE}. Сверьте их и сохраните снова.",
    # notify
    "CONTACT_NOT_FOUND": "Адреса для писем нет. Его вносит школа.",
    "LETTER_BEING_SENT": "Письмо уже отправляется. Повторите через несколько секунд.",
    # journal
    "COURSE_NOT_FOUND": "Такого журнала нет среди ваших.",
    "LESSON_NOT_FOUND": "Такого урока в журнале нет.",
    "MARK_NOT_FOUND": "Такой отметки в ваших журналах нет.",
    "PERIOD_NOT_FOUND": "Такого учебного периода в школе нет.",
    "WORK_TYPE_NOT_FOUND": "Такого вида работы в школе нет.",
    "WEEK_INVALID": "Такой недели нет.",
    "DATE_INVALID": "Такой даты нет в календаре.",
    "DATE_OUTSIDE_PERIODS": "Этот день не входит ни в один учебный период.",
    "LESSON_IN_FUTURE": "День этого урока ещё не наступил. Урок записывают в день проведения или позже.",
    "LESSON_CHANGED": f"Урок: {CHANGED_MEANWHILE}. Проверьте запись и сохраните снова.",
    "LESSON_NOT_EMPTY": "В уроке есть отметки или пропуски. Сначала снимите их, затем отзовите урок.",
    "LESSON_NOT_HELD": "Сначала запишите урок, затем отметки и посещаемость.",
    "PERIOD_CLOSED": "Учебный период закрыт: записи в нём больше не меняются.",
    "MARK_NOT_IN_SCALE": "Такой отметки нет в шкале школы.",
    "MARK_CHANGED": f"Отметка: {CHANGED_MEANWHILE}. Проверьте её и повторите.",
    "MARK_ELSEWHERE": "Эта отметка относится к другому ученику или уроку. Откройте страницу заново.",
    "COURSE_NOT_MARKED": "По этому предмету отметки не ставятся.",
    "STUDENT_NOT_IN_COURSE": "В день урока ученик не входил в эту группу.",
    "REASON_REQUIRED": "Отметку прошлого дня исправляют с указанием причины.",
    "CELL_REPEATED": "Одна отметка отправлена дважды. Откройте страницу заново и повторите.",
    "ATTENDANCE_CHANGED": f"Посещаемость: {CHANGED_MEANWHILE}. Проверьте её и сохраните снова.",
    "ABSENCE_REPEATED": "Ученик указан дважды. Откройте страницу заново и повторите.",
    # documents
    "WEEK_HAS_NO_LESSONS": "На этой неделе у класса не было записанных уроков: печатать нечего.",
    "JOURNAL_UNAVAILABLE": "Листы не напечатаны: журнал сейчас не отвечает. Повторите через минуту.",
    "PRINT_RUN_NOT_FOUND": "Такой печати нет среди листов ваших классов.",
    "PRINTOUT_NOT_FOUND": "Для этого ученика лист не печатали. Откройте ведомость заново.",
    "HAND_OVER_DATE_INVALID": "День выдачи — от дня печати до сегодняшнего.",
    "HAND_OVER_NOTE_REQUIRED": "Напишите, как передан лист или почему он не выдан.",
    "NO_PAPER_FAMILIES": "В этом классе никого не информируют на бумаге. Выберите «всем ученикам» или отдельных учеников.",
    "DOCUMENT_NOT_FOUND": "Такого документа нет среди тех, что вам открыты.",
    "PART_NOT_FOUND": "Такого файла у документа нет: скан или файл подписи ещё не загружен.",
    "SCAN_NOT_FOUND": "Один из сканов уже не ждёт подтверждения: загрузили другой, или решение подписано. Проверьте список.",
    "TOO_MANY_WAITING": "Сейчас слишком много обращений. Повторите через минуту.",
    "DOCUMENT_SIGNED": "Документ уже подписан. Прежняя подпись остаётся.",
    "DOCUMENTS_TOO_LARGE": "Вместе эти решения не помещаются в один файл. Снимите часть отметок и скачайте за несколько раз.",
    "SCAN_UNREADABLE": "Файл не читается или в нём больше 100 страниц. Подойдёт PDF, JPEG или PNG; отсканируйте заново.",
    "SIGNATURE_UNREADABLE": "Это не отсоединённая подпись одного подписавшего. Подойдёт файл .sig или .p7s программы подписи.",
    "SIGNATURE_OF_ANOTHER_FILE": "Подпись сделана для другого файла. Подпишите файл, скачанный здесь, не изменяя его.",
    "SIGNATURE_INVALID": "Подпись не по ГОСТ, не подходит к сертификату, или он не действовал. Подпишите файл заново.",
    "ACCESS_UNAVAILABLE": "Документ сейчас не составить: дневник недоступен. Подождите минуту и повторите.",
    "NOTHING_TO_VERIFY": "Введите код с документа или выберите его файл: одно из двух.",
    "FORM_NOT_FOUND": "Такого бланка или такой школы нет.",
    # The gateway itself.
    "RATE_LIMITED": "Слишком много запросов. Подождите минуту и повторите.",
    "SERVICE_UNAVAILABLE": "Дневник сейчас недоступен. Подождите минуту и повторите.",
    "SERVICE_TIMEOUT": "Дневник отвечает дольше обычного. Повторите через минуту.",
}

# Refusals that say until when to wait.
_WAITS = {"SIGN_IN_BLOCKED": "Слишком много попыток.", "CODE_BLOCKED": "Слишком много неверных кодов."}

# What a field of a form is called, by its name in the request.
FIELDS = {
    "family_name": "фамилия",
    "given_name": "имя",
    "patronymic": "отчество",
    "guardian_kind": "кем приходится ребёнку",
    "authority_document": "документ, подтверждающий полномочия",
    "authority_date": "дата документа",
    "authority_end_date": "срок полномочий",
    "email": "электронная почта",
    "phone": "телефон",
    "address": "адрес",
    "site": "сайт",
    "locality": "место составления документов",
    "head_position": "должность руководителя",
    "head_position_dative": "должность руководителя, кому",
    "head_name_dative": "фамилия и инициалы руководителя, кому",
    "founder": "учредитель",
    "founder_contacts": "адрес и телефон учредителя",
    "applicants": "один человек указан дважды",
    "channel": "как поступило",
    "receive_time": "время поступления",
    "declare_date": "дата заявления",
    "act_number": "номер акта",
    "act_date": "дата акта",
    "ground": "основание",
    "title": "название регламента",
    "order_number": "номер приказа",
    "order_date": "дата приказа",
    "valid_from_date": "с какого дня действует",
    "lesson_date": "день урока",
    "topic": "тема",
    "homework": "домашнее задание",
    "reason": "причина",
    "note": "примечание",
    "one_time_code": "код",
    "login": "логин",
    "password": "пароль",
}
# What a decision prints of the school, as the metadata of the refusal name it.
_PRINTED = {"address": "адрес школы", "founder": "учредитель", "regulation": "приказ, которым школа приняла регламент"}

_UNKNOWN = "Не получилось выполнить действие. Повторите через минуту."


def wait_for_retry(reason: str, metadata: Mapping[str, str], now: datetime) -> str:
    """How long to wait, counted from now: the zone of whoever signs in is not known yet."""
    if reason not in _WAITS:
        return sentence(reason if reason in SENTENCES else "RATE_LIMITED")
    try:
        left = datetime.fromisoformat(metadata.get("retry_time", "")).astimezone(UTC) - now
    except ValueError:
        return sentence(reason)
    minutes = max(1, -(-left // timedelta(minutes=1)))
    other = " или там, где вы уже входили с этим логином" if metadata.get("counted") == "everywhere" else ""
    return f"{_WAITS[reason]} Попробуйте через {count(minutes, ('минуту', 'минуты', 'минут'))}{other}."


def sentence(reason: str, fields: Sequence[str] = (), metadata: Mapping[str, str] | None = None) -> str:
    """What a person is told for a reason; a general sentence when the answer named none. A form is told which of its fields are
    amiss, a school what it has not said.
    """
    named = [
        word for word in dict.fromkeys(FIELDS.get(path.rpartition(".")[2].partition("[")[0], "") for path in fields) if word
    ]
    if reason == "REQUEST_INVALID" and named == [FIELDS["email"]]:
        return "Проверьте электронную почту: в адресе нужны знак @ и имя сервера с точкой, например mama@mail.ru."
    if reason == "REQUEST_INVALID" and named:
        return f"Проверьте: {', '.join(named)}. Заполнено неверно."
    missing = [_PRINTED.get(name, "") for name in (metadata or {}).get("missing", "").split(",")]
    if reason == "SCHOOL_DETAILS_MISSING" and all(missing):
        where = "Их вносят ответственный за электронный журнал или директор на странице «Реквизиты школы»."
        return f"Решение не составить, пока не указано: {', '.join(missing)}. {where}"
    return SENTENCES.get(reason, _UNKNOWN)
