"""Words of the access case, as papers of the school have them."""

from diary.access.v1 import application_service_pb2 as pb

STATES = {
    pb.APPLICATION_STATE_REGISTERED: "зарегистрировано",
    pb.APPLICATION_STATE_WAITS_FOR_ENROLMENT: "ожидает зачисления",
    pb.APPLICATION_STATE_GRANTED: "доступ предоставлен",
}
CHANNELS = {
    pb.APPLICATION_CHANNEL_IN_PERSON: "лично",
    pb.APPLICATION_CHANNEL_CLASS_TEACHER: "через классного руководителя",
    pb.APPLICATION_CHANNEL_POST: "почтой",
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
# What a clause asks before access is granted, and what to do while it does not hold.
CHECKS = {
    "R10": ("Обучающийся зачислен", "Нет действующего приказа о зачислении."),
    "R11": ("Данные внесены, ученик в классе", "Внесите дату рождения и распределите ученика в класс."),
    "R12": ("Заявление зарегистрировано", "Заявление не зарегистрировано."),
    "R6": ("Родство или полномочия подтверждены", "Заявитель должен предъявить документ о родстве или полномочиях."),
}
