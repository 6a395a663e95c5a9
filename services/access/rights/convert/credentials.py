"""First credentials between protobuf and dataclasses."""

from datetime import datetime

from chassis.names import find_called_name
from diary.access.v1 import credential_service_pb2 as pb
from diary.documents.v1 import form_pb2
from services.access.people.rules.names import build_display_name, build_short_name
from services.access.rights.rules.credentials import PASSWORD_MIN_LENGTH, DeliveryGrant, SlipGrant


def slip(
    grant: SlipGrant, link: str, one_time_password: str, expire_time: datetime, issue_number: int
) -> form_pb2.RenderSlipRequest:
    """The slip that documents prints (Clause R25)."""
    page = form_pb2.Slip(
        school_name=grant.school_name,
        holder_name=build_display_name(grant.holder),
        student_name="" if grant.holder_id == grant.student_id else build_display_name(grant.student),
        class_name=grant.class_name,
        application_number=grant.application_number,
        application_date=grant.application_date.isoformat(),
        link=link,
        login=grant.login,
        one_time_password=one_time_password,
        time_zone=grant.time_zone,
        password_min_length=PASSWORD_MIN_LENGTH,
        class_teacher_name=build_display_name(grant.class_teacher) if grant.class_teacher else "",
        issue_number=issue_number,
        handed_by=build_short_name(grant.handed_by) if grant.handed_by else "",
    )
    page.password_expire_time.FromDatetime(expire_time)
    return form_pb2.RenderSlipRequest(slips=[page])


def delivery(grant: DeliveryGrant, activation_token: str, expire_time: datetime) -> pb.RedeemDeliveryResponse:
    """Where to send what, for notify (Clause R26)."""
    message = pb.RedeemDeliveryResponse(
        email=grant.email,
        activation_token=activation_token,
        account_id=str(grant.account_id),
        school_name=grant.school_name,
        time_zone=grant.time_zone,
        login=grant.login,
        application_number=grant.application_number,
        application_date=grant.application_date.isoformat(),
        student_called_name=find_called_name(grant.student_name),
    )
    message.expire_time.FromDatetime(expire_time)
    return message
