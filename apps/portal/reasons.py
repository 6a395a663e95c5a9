"""The one table from an error's reason to a sentence in Russian. A contract test fails when a reason has none.

A reason that several services share means the same in each, so the table needs no domains.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from apps.portal.views.dates import count

SENTENCES = {
    # Every service.
    "REQUEST_INVALID": "Данные заполнены неверно. Проверьте форму и отправьте снова.",
    "TOKEN_MISSING": "Нужно войти в дневник.",
    "TOKEN_INVALID": "Время входа истекло. Войдите снова.",
    "ROLE_NOT_ALLOWED": "Для вашей роли это действие не предусмотрено.",
    "REQUEST_ID_REUSED": "Эта форма уже была отправлена с другими данными. Откройте страницу заново и повторите.",
    "PAGE_TOKEN_INVALID": "Список изменился. Откройте его с начала.",
    "DATABASE_UNAVAILABLE": "Дневник перезапускается. Подождите минуту и повторите.",
    "REQUEST_IN_PROGRESS": "Это же действие ещё выполняется. Подождите несколько секунд и повторите.",
    "METHOD_NOT_DECLARED": "Действие недоступно из-за ошибки установки дневника. Сообщите в школу.",
    # access
    "SIGN_IN_FAILED": "Логин или пароль не подошли.",
    "SIGN_IN_BLOCKED": "Слишком много попыток входа. Попробуйте позже.",
    "SESSION_ENDED": "Вход завершён. Войдите снова.",
    "GRANT_NOT_FOUND": "Такого доступа нет.",
    "SCHOOL_NOT_FOUND": "Такой школы нет среди ваших.",
    "STUDENT_NOT_FOUND": "Такого ученика нет среди тех, чей дневник вам открыт.",
    "ENDING_PENDING": "Доступ прекращён, подтверждение ещё идёт. Повторите через минуту.",
    "APPLICATION_NOT_FOUND": "Такого заявления нет среди тех, что вам открыты.",
    "PERSON_NOT_FOUND": "Такого человека нет среди представителей ученика.",
    "APPLICANT_INCOMPLETE": "Укажите фамилию, имя заявителя и кем он приходится ребёнку.",
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
    "CLASS_NOT_FOUND": "Такого класса нет среди тех, что вам открыты.",
    "GUARDIAN_UNDER_AGE": "Такое родство не подходит к возрасту ученика.",
    "NOTHING_TO_GRANT": "Это заявление об отказе от услуги: доступ по нему не предоставляется.",
    "STUDENT_UNDER_AGE": "Ученик этого возраста не подаёт такое заявление сам.",
    "GUARDIANSHIP_NOT_FOUND": "Такого действующего представительства нет.",
    "NOT_ENROLLED": "В этот день ученик не зачислен в школу.",
    "PLACED_LATER": "Класс или группа ученика начинается позже дня выбытия: сначала измените их.",
    "CODE_MISSING": "Введите пароль ещё раз и код из приложения.",
    "CODE_WRONG": "Код неверный или уже использован. Дождитесь следующего.",
    "TOTP_ENROLLED": "Второй фактор уже подключён.",
    "TOTP_NOT_ENROLLED": "Сначала подключите второй фактор: без него решение не подписать.",
    "GROUND_NOT_PROVED": "Это основание отказа не подтверждается данными школы.",
    "NO_REFUSAL_PROPOSED": "По этому заявлению отказ не подготовлен.",
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
    "LESSON_CHANGED": "Урок изменён другим. Откройте его заново и проверьте запись.",
    "LESSON_NOT_HELD": "Сначала запишите урок, затем отметки и посещаемость.",
    "PERIOD_CLOSED": "Учебный период закрыт. Открыть его может директор.",
    "MARK_NOT_IN_SCALE": "Такой отметки нет в шкале школы.",
    "MARK_CHANGED": "Отметка изменена другим. Проверьте её и повторите.",
    "MARK_ELSEWHERE": "Эта отметка относится к другому ученику или уроку. Откройте страницу заново.",
    "COURSE_NOT_MARKED": "По этому предмету отметки не ставятся.",
    "STUDENT_NOT_IN_COURSE": "В день урока ученик не входил в эту группу.",
    "REASON_REQUIRED": "Отметку прошлого дня исправляют с указанием причины.",
    "CELL_REPEATED": "Одна отметка отправлена дважды. Откройте страницу заново и повторите.",
    "ATTENDANCE_CHANGED": "Посещаемость изменена другим. Проверьте её и сохраните снова.",
    "ABSENCE_REPEATED": "Ученик указан дважды. Откройте страницу заново и повторите.",
    # documents
    "WEEK_HAS_NO_LESSONS": "На этой неделе у класса не было записанных уроков: печатать нечего.",
    "JOURNAL_UNAVAILABLE": "Листы не напечатаны: журнал сейчас не отвечает. Повторите через минуту.",
    "PRINT_RUN_NOT_FOUND": "Такой печати нет среди листов ваших классов.",
    "PRINTOUT_NOT_FOUND": "Для этого ученика лист не печатали. Откройте ведомость заново.",
    "HAND_OVER_DATE_INVALID": "День выдачи — от дня печати до сегодняшнего.",
    "HAND_OVER_NOTE_REQUIRED": "Напишите, как передан лист или почему он не выдан.",
    "NO_PAPER_FAMILIES": "В этом классе никто не заявил о распечатках: печатать нечего. Можно выбрать учеников.",
    "FORM_NOT_FOUND": "Такого бланка или такой школы нет. Откройте страницу школы и выберите бланк заново.",
    # The gateway itself.
    "RATE_LIMITED": "Слишком много запросов. Подождите минуту и повторите.",
    "SERVICE_UNAVAILABLE": "Дневник перезапускается. Подождите минуту и повторите.",
    "SERVICE_TIMEOUT": "Дневник отвечает дольше обычного. Повторите через минуту.",
}

_UNKNOWN = "Не получилось выполнить действие. Повторите через минуту."


def wait_for_retry(reason: str, metadata: Mapping[str, str], now: datetime) -> str:
    """How long to wait, counted from now: the zone of whoever signs in is not known yet."""
    if reason != "SIGN_IN_BLOCKED":
        return sentence("RATE_LIMITED")
    try:
        left = datetime.fromisoformat(metadata.get("retry_time", "")).astimezone(UTC) - now
    except ValueError:
        return sentence(reason)
    minutes = max(1, -(-left // timedelta(minutes=1)))
    return f"Слишком много попыток. Попробуйте через {count(minutes, ('минуту', 'минуты', 'минут'))}."


def sentence(reason: str) -> str:
    """What a person is told for a reason; a general sentence when the answer named none."""
    return SENTENCES.get(reason, _UNKNOWN)
