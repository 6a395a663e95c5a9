"""Words of the access case, as papers of the school have them."""

from diary.access.v1 import application_pb2, guardianship_pb2, refusal_pb2

STATES = {
    application_pb2.APPLICATION_STATE_REGISTERED: "зарегистрировано",
    application_pb2.APPLICATION_STATE_WAITS_FOR_ENROLMENT: "ожидает зачисления",
    application_pb2.APPLICATION_STATE_GRANTED: "доступ предоставлен",
    application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED: "отказ ждёт подписи",
    application_pb2.APPLICATION_STATE_REFUSED: "отказано",
    application_pb2.APPLICATION_STATE_WITHDRAWN: "отозвано заявителем",
}
# What staff name when they register; the applicant's own way is not theirs to name.
STAFF_CHANNELS = {
    application_pb2.APPLICATION_CHANNEL_IN_PERSON: "лично",
    application_pb2.APPLICATION_CHANNEL_CLASS_TEACHER: "через классного руководителя",
    application_pb2.APPLICATION_CHANNEL_POST: "почтой",
}
CHANNELS = {**STAFF_CHANNELS, application_pb2.APPLICATION_CHANNEL_DIARY: "через сервис"}
STATEMENTS = (application_pb2.APPLICATION_KIND_APPENDIX_2, application_pb2.APPLICATION_KIND_APPENDIX_3)
APPENDICES = {
    application_pb2.APPLICATION_KIND_APPENDIX_1: "Приложение № 1",
    application_pb2.APPLICATION_KIND_APPENDIX_2: "Приложение № 2",
    application_pb2.APPLICATION_KIND_APPENDIX_3: "Приложение № 3",
}
TITLES = {
    application_pb2.APPLICATION_KIND_APPENDIX_1: "Заявление о предоставлении доступа",
    application_pb2.APPLICATION_KIND_APPENDIX_2: "Заявление не предоставлять услугу",
    application_pb2.APPLICATION_KIND_APPENDIX_3: "Заявление об отмене предоставления информации",
}
KINDS = {
    guardianship_pb2.GUARDIAN_KIND_MOTHER: "мать",
    guardianship_pb2.GUARDIAN_KIND_FATHER: "отец",
    guardianship_pb2.GUARDIAN_KIND_GUARDIAN: "опекун (до 14 лет)",
    guardianship_pb2.GUARDIAN_KIND_TRUSTEE: "попечитель (14–18 лет)",
    guardianship_pb2.GUARDIAN_KIND_FOSTER_PARENT: "приёмный родитель",
    guardianship_pb2.GUARDIAN_KIND_ORGANISATION: "представитель организации для детей-сирот",
    guardianship_pb2.GUARDIAN_KIND_REPRESENTATIVE: "представитель по доверенности",
}
WAYS = {
    application_pb2.CREDENTIALS_WAY_IN_PERSON: "выдать лично",
    application_pb2.CREDENTIALS_WAY_EMAIL: "направить на электронную почту",
}
# Why on paper: as papers name it, and as a family says it.
PAPER_REASONS = {
    application_pb2.PAPER_REASON_CANNOT: "невозможность пользоваться электронным дневником",
    application_pb2.PAPER_REASON_DOES_NOT_WANT: "нежелание пользоваться электронным дневником",
}
OWN_PAPER_REASONS = {
    application_pb2.PAPER_REASON_CANNOT: "не могу пользоваться электронным дневником",
    application_pb2.PAPER_REASON_DOES_NOT_WANT: "не хочу пользоваться электронным дневником",
}
# How printouts are given, as the sheet of choice lists it: as staff note it, and as a family says it.
PRINTOUT_WAYS = {
    application_pb2.PRINTOUT_WAY_WITH_CHILD: "передавать с ребёнком",
    application_pb2.PRINTOUT_WAY_IN_PERSON: "выдавать лично у классного руководителя",
    application_pb2.PRINTOUT_WAY_OTHER: "иное",
}
OWN_PRINTOUT_WAYS = {**PRINTOUT_WAYS, application_pb2.PRINTOUT_WAY_IN_PERSON: "выдавать мне лично у классного руководителя"}
# What a clause asks before access is granted, and what to do while it does not hold.
CHECKS = {
    "R10": ("Обучающийся зачислен", "Нет действующего приказа о зачислении."),
    "R11": ("Данные внесены, ученик в классе", "Внесите дату рождения и распределите ученика в класс."),
    "R12": ("Заявление зарегистрировано", "Заявление не зарегистрировано."),
    "R6": ("Родство или полномочия подтверждены", "Заявитель должен предъявить документ о родстве или полномочиях."),
}
DOCUMENT_OVER = "Срок действия документа истёк. Заявитель должен предъявить действующий."
# The grounds of the regulation, letter for letter.
GROUNDS = {
    refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT: "запрос подан лицом, не относящимся к заявителям, "
    "предусмотренным настоящим Регламентом",
    refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT: "лицо, получение информации о текущей успеваемости и посещаемости "
    "которого запрашивается заявителем, не является обучающимся школы",
    refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT: "заявление заявителя об отказе в получении услуги",
}
GROUND_HINTS = {
    refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT: "Никто из заявителей не подтвердил родство или полномочия, полномочия "
    "прекращены, или обучающемуся исполнилось 18 лет и его согласия нет.",
    refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT: "Родство подтверждено, но ребёнок не зачислен в школу или уже отчислен.",
    refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT: "Заявитель сам отказался от услуги. Отказ касается только его.",
}
GROUND_NOT_PROVED = {
    refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT: "По данным школы это основание не подтверждается: родство или полномочия "
    "хотя бы одного заявителя подтверждены, либо заявление подал сам ученик.",
    refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT: "По данным школы это основание не подтверждается: ребёнок зачислен, либо родство "
    "не подтверждено — тогда отвечают первым основанием, не сообщая ничего о ребёнке.",
    refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT: "Это основание только для заявлений по Приложениям № 2 и № 3.",
}
SIGNINGS = {
    refusal_pb2.SIGNING_WAY_PAPER: "подписано на бумаге, скан подтверждён директором",
    refusal_pb2.SIGNING_WAY_ELECTRONIC: "подпись приложена, её сертификат не проверялся",
}
DELIVERIES = {
    refusal_pb2.DECISION_CHANNEL_IN_PERSON: "лично",
    refusal_pb2.DECISION_CHANNEL_EMAIL: "по электронной почте",
    refusal_pb2.DECISION_CHANNEL_POST: "почтой",
}
# A letter by e-mail is recorded by the service itself.
DELIVERIES_BY_HAND = (refusal_pb2.DECISION_CHANNEL_IN_PERSON, refusal_pb2.DECISION_CHANNEL_POST)

# What an applicant reads of a case: a proposal decides nothing (Clause R22), and who asked to end the service was not refused.
_OWN_STATES = {**STATES, application_pb2.APPLICATION_STATE_REFUSAL_PROPOSED: "на рассмотрении"}
_DECLINED = {
    application_pb2.APPLICATION_KIND_APPENDIX_2: "услуга не предоставляется по вашему заявлению",
    application_pb2.APPLICATION_KIND_APPENDIX_3: "услуга прекращена по вашему заявлению",
}


def own_state(kind: application_pb2.ApplicationKind.ValueType, state: application_pb2.ApplicationState.ValueType) -> str:
    """The state of a case in the words for its applicant."""
    if state == application_pb2.APPLICATION_STATE_REFUSED and kind in _DECLINED:
        return _DECLINED[kind]
    return _OWN_STATES.get(state, "")


def is_statement(kind: int) -> bool:
    """Whether it is a statement of Appendix 2 or 3, by which nothing is granted."""
    return kind in STATEMENTS


def title(kind: int) -> str:
    """«Заявление об отмене предоставления информации (Приложение № 3)»; an unset kind is Appendix 1."""
    known = kind if kind in TITLES else application_pb2.APPLICATION_KIND_APPENDIX_1
    return f"{TITLES[known]} ({APPENDICES[known]})".replace("№ ", "№\u00a0")  # type: ignore[index]  # a number of the enum


def grounds_for(kind: int) -> tuple[refusal_pb2.RefusalGround.ValueType, ...]:
    """The grounds that can be right for a kind: a statement is refused by itself, an application by the other two."""
    if is_statement(kind):
        return (refusal_pb2.REFUSAL_GROUND_OWN_STATEMENT,)
    return (refusal_pb2.REFUSAL_GROUND_NOT_AN_APPLICANT, refusal_pb2.REFUSAL_GROUND_NOT_A_STUDENT)
