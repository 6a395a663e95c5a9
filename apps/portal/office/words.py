"""Words of the access case, as papers of the school have them."""

from diary.access.v1 import application_service_pb2 as pb

STATES = {
    pb.APPLICATION_STATE_REGISTERED: "зарегистрировано",
    pb.APPLICATION_STATE_WAITS_FOR_ENROLMENT: "ожидает зачисления",
    pb.APPLICATION_STATE_GRANTED: "доступ предоставлен",
    pb.APPLICATION_STATE_REFUSAL_PROPOSED: "отказ ждёт подписи",
    pb.APPLICATION_STATE_REFUSED: "отказано",
    pb.APPLICATION_STATE_WITHDRAWN: "отозвано заявителем",
}
# What staff name when they register; the applicant's own way is not theirs to name.
STAFF_CHANNELS = {
    pb.APPLICATION_CHANNEL_IN_PERSON: "лично",
    pb.APPLICATION_CHANNEL_CLASS_TEACHER: "через классного руководителя",
    pb.APPLICATION_CHANNEL_POST: "почтой",
}
CHANNELS = {**STAFF_CHANNELS, pb.APPLICATION_CHANNEL_DIARY: "через сервис"}
STATEMENTS = (pb.APPLICATION_KIND_APPENDIX_2, pb.APPLICATION_KIND_APPENDIX_3)
APPENDICES = {
    pb.APPLICATION_KIND_APPENDIX_1: "Приложение № 1",
    pb.APPLICATION_KIND_APPENDIX_2: "Приложение № 2",
    pb.APPLICATION_KIND_APPENDIX_3: "Приложение № 3",
}
TITLES = {
    pb.APPLICATION_KIND_APPENDIX_1: "Заявление о предоставлении доступа",
    pb.APPLICATION_KIND_APPENDIX_2: "Заявление не предоставлять услугу",
    pb.APPLICATION_KIND_APPENDIX_3: "Заявление об отмене предоставления информации",
}
KINDS = {
    pb.GUARDIAN_KIND_MOTHER: "мать",
    pb.GUARDIAN_KIND_FATHER: "отец",
    pb.GUARDIAN_KIND_GUARDIAN: "опекун (до 14 лет)",
    pb.GUARDIAN_KIND_TRUSTEE: "попечитель (14–18 лет)",
    pb.GUARDIAN_KIND_FOSTER_PARENT: "приёмный родитель",
    pb.GUARDIAN_KIND_ORGANISATION: "представитель организации для детей-сирот",
    pb.GUARDIAN_KIND_REPRESENTATIVE: "представитель по доверенности",
}
WAYS = {
    pb.CREDENTIALS_WAY_IN_PERSON: "выдать лично",
    pb.CREDENTIALS_WAY_EMAIL: "направить на электронную почту",
}
# Why on paper: as papers name it, and as a family says it.
PAPER_REASONS = {
    pb.PAPER_REASON_CANNOT: "невозможность пользоваться электронным дневником",
    pb.PAPER_REASON_DOES_NOT_WANT: "нежелание пользоваться электронным дневником",
}
OWN_PAPER_REASONS = {
    pb.PAPER_REASON_CANNOT: "не могу пользоваться электронным дневником",
    pb.PAPER_REASON_DOES_NOT_WANT: "не хочу пользоваться электронным дневником",
}
# How printouts are given, as the sheet of choice lists it: as staff note it, and as a family says it.
PRINTOUT_WAYS = {
    pb.PRINTOUT_WAY_WITH_CHILD: "передавать с ребёнком",
    pb.PRINTOUT_WAY_IN_PERSON: "выдавать лично у классного руководителя",
    pb.PRINTOUT_WAY_OTHER: "иное",
}
OWN_PRINTOUT_WAYS = {**PRINTOUT_WAYS, pb.PRINTOUT_WAY_IN_PERSON: "выдавать мне лично у классного руководителя"}
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
    pb.REFUSAL_GROUND_NOT_AN_APPLICANT: "запрос подан лицом, не относящимся к заявителям, "
    "предусмотренным настоящим Регламентом",
    pb.REFUSAL_GROUND_NOT_A_STUDENT: "лицо, получение информации о текущей успеваемости и посещаемости "
    "которого запрашивается заявителем, не является обучающимся школы",
    pb.REFUSAL_GROUND_OWN_STATEMENT: "заявление заявителя об отказе в получении услуги",
}
GROUND_HINTS = {
    pb.REFUSAL_GROUND_NOT_AN_APPLICANT: "Никто из заявителей не подтвердил родство или полномочия, полномочия "
    "прекращены, или обучающемуся исполнилось 18 лет и его согласия нет.",
    pb.REFUSAL_GROUND_NOT_A_STUDENT: "Родство подтверждено, но ребёнок не зачислен в школу или уже отчислен.",
    pb.REFUSAL_GROUND_OWN_STATEMENT: "Заявитель сам отказался от услуги. Отказ касается только его.",
}
GROUND_NOT_PROVED = {
    pb.REFUSAL_GROUND_NOT_AN_APPLICANT: "По данным школы это основание не подтверждается: родство или полномочия "
    "хотя бы одного заявителя подтверждены, либо заявление подал сам ученик.",
    pb.REFUSAL_GROUND_NOT_A_STUDENT: "По данным школы это основание не подтверждается: ребёнок зачислен, либо родство "
    "не подтверждено — тогда отвечают первым основанием, не сообщая ничего о ребёнке.",
    pb.REFUSAL_GROUND_OWN_STATEMENT: "Это основание только для заявлений по Приложениям № 2 и № 3.",
}
SIGNINGS = {
    pb.SIGNING_WAY_PAPER: "подписано на бумаге, скан подтверждён директором",
    pb.SIGNING_WAY_ELECTRONIC: "подпись приложена, её сертификат не проверялся",
}
DELIVERIES = {
    pb.DECISION_CHANNEL_IN_PERSON: "лично",
    pb.DECISION_CHANNEL_EMAIL: "по электронной почте",
    pb.DECISION_CHANNEL_POST: "почтой",
}
# A letter by e-mail is recorded by the service itself.
DELIVERIES_BY_HAND = (pb.DECISION_CHANNEL_IN_PERSON, pb.DECISION_CHANNEL_POST)

# What an applicant reads of a case: a proposal decides nothing (Clause R22), and who asked to end the service was not refused.
_OWN_STATES = {**STATES, pb.APPLICATION_STATE_REFUSAL_PROPOSED: "на рассмотрении"}
_DECLINED = {
    pb.APPLICATION_KIND_APPENDIX_2: "услуга не предоставляется по вашему заявлению",
    pb.APPLICATION_KIND_APPENDIX_3: "услуга прекращена по вашему заявлению",
}


def own_state(kind: pb.ApplicationKind.ValueType, state: pb.ApplicationState.ValueType) -> str:
    """The state of a case in the words for its applicant."""
    if state == pb.APPLICATION_STATE_REFUSED and kind in _DECLINED:
        return _DECLINED[kind]
    return _OWN_STATES.get(state, "")


def is_statement(kind: int) -> bool:
    """Whether it is a statement of Appendix 2 or 3, by which nothing is granted."""
    return kind in STATEMENTS


def title(kind: int) -> str:
    """«Заявление об отмене предоставления информации (Приложение № 3)»; an unset kind is Appendix 1."""
    known = kind if kind in TITLES else pb.APPLICATION_KIND_APPENDIX_1
    return f"{TITLES[known]} ({APPENDICES[known]})".replace("№ ", "№\u00a0")  # type: ignore[index]  # a number of the enum


def grounds_for(kind: int) -> tuple[pb.RefusalGround.ValueType, ...]:
    """The grounds that can be right for a kind: a statement is refused by itself, an application by the other two."""
    if is_statement(kind):
        return (pb.REFUSAL_GROUND_OWN_STATEMENT,)
    return (pb.REFUSAL_GROUND_NOT_AN_APPLICANT, pb.REFUSAL_GROUND_NOT_A_STUDENT)
