"""A refusal as access would tell it, and papers as they come back: scanned, and signed with a GOST certificate."""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import typst

from diary.access.v1 import application_pb2, decision_pb2, person_name_pb2

REASONS = {
    "RELATION_NOT_PROVED": ("NOT_AN_APPLICANT", application_pb2.APPLICATION_KIND_APPENDIX_1),
    "STUDENT_OF_AGE": ("NOT_AN_APPLICANT", application_pb2.APPLICATION_KIND_APPENDIX_1),
    "AUTHORITY_ENDED": ("NOT_AN_APPLICANT", application_pb2.APPLICATION_KIND_APPENDIX_1),
    "NOT_ENROLLED": ("NOT_A_STUDENT", application_pb2.APPLICATION_KIND_APPENDIX_1),
    "LEFT": ("NOT_A_STUDENT", application_pb2.APPLICATION_KIND_APPENDIX_1),
    "STATEMENT_NOT_TO_PROVIDE": ("OWN_STATEMENT", application_pb2.APPLICATION_KIND_APPENDIX_2),
    "STATEMENT_TO_CANCEL": ("OWN_STATEMENT", application_pb2.APPLICATION_KIND_APPENDIX_3),
}
_NEW_CERTIFICATE = ("openssl", "req", "-engine", "gost", "-x509", "-nodes", "-utf8", "-days", "400")


def refusal(reason: str = "RELATION_NOT_PROVED", **fields: Any) -> decision_pb2.Decision:
    """An applicant's copy of a refusal for one of the seven reasons, with what access says for it."""
    ground, kind = REASONS[reason]
    told = decision_pb2.Decision(
        **{
            "application_id": str(uuid4()),
            "applicant_id": str(uuid4()),
            "number": "3-ЭДО/2026",
            "time_zone": "Europe/Simferopol",
            "letterhead": decision_pb2.Letterhead(
                school_code="aleks",
                name="МБОУ «Александровская школа»",
                full_name="Муниципальное бюджетное общеобразовательное учреждение «Александровская школа» Красногвардейского"
                " района Республики Крым",
                address="297000, Республика Крым, с. Александровка, ул. Школьная, д. 1",
                phone="+7 (36556) 2-12-12",
                email="school@aleks.example",
                site="aleks.example",
                locality="с. Александровка",
                founder="Администрация Красногвардейского района Республики Крым",
                founder_contacts="пгт Красногвардейское, ул. Тельмана, д. 7, +7 (36556) 2-00-00",
            ),
            "applicant_name": "Иванова Мария Петровна",
            "applicant_email": "ivanova@mail.example",
            "application_number": "15-ЭД/2026",
            "kind": kind,
            "regulation_title": "Регламент предоставления услуги «Электронный дневник» (информирования обучающихся и их"
            " родителей (законных представителей) о результатах обучения)",
            "regulation_order_number": "213",
            "regulation_order_date": "2020-08-28",
            "ground": f"REFUSAL_GROUND_{ground}",
            "reason": f"REFUSAL_REASON_{reason}",
            "student_name": "" if reason == "RELATION_NOT_PROVED" else "Иванов Артём Сергеевич",
            "signer_name": "Супрун Ирина Евгеньевна",
            "signer": person_name_pb2.PersonName(family_name="Супрун", given_name="Ирина", patronymic="Евгеньевна"),
            "signer_position": "Директор",
            "preparer_name": "Петрова Нина Ивановна",
            **fields,
        }
    )
    told.decide_time.FromJsonString("2026-11-20T11:00:00Z")
    told.register_time.FromJsonString("2026-11-18T06:12:00Z")
    if reason == "STUDENT_OF_AGE":
        told.of_age_date = "2026-11-03"
    if ground == "NOT_A_STUDENT":
        told.check_time.FromJsonString("2026-11-20T10:59:00Z")
    if reason == "LEFT":
        told.left_date, told.left_order_number = "2026-06-30", "45-у"
    if reason == "STATEMENT_TO_CANCEL":
        told.access_end_time.FromJsonString("2026-11-18T07:00:00Z")
    return told


def sign_by_hand(pdf: bytes) -> bytes:
    """The PDF with a stroke of a pen on each page, some four centimetres long."""
    with pypdfium2.PdfDocument(pdf) as document:
        for page in document:
            stroke = pdfium.FPDFPageObj_CreateNewPath(300, 300)
            for x, y in ((320, 325), (330, 295), (350, 330), (360, 300), (400, 312)):
                pdfium.FPDFPath_LineTo(stroke, x, y)
            pdfium.FPDFPageObj_SetStrokeColor(stroke, 20, 20, 120, 255)
            pdfium.FPDFPageObj_SetStrokeWidth(stroke, 1.4)
            pdfium.FPDFPath_SetDrawMode(stroke, pdfium.FPDF_FILLMODE_NONE, 1)
            pdfium.FPDFPage_InsertObject(page, stroke)
            page.gen_content()
        written = io.BytesIO()
        document.save(written)
        return written.getvalue()


def photograph(pdf: bytes, kind: str = "jpeg", page: int = 1, dpi: int = 200, *, is_signed: bool = True) -> bytes:
    """A page, signed by hand, as a camera or scanner would save it: a JPEG or a PNG."""
    pdf = sign_by_hand(pdf) if is_signed else pdf
    place = ["-f", str(page), "-l", str(page), "-singlefile"]
    command = ["pdftoppm", f"-{kind}", "-r", str(dpi), "-gray", *place, "-"]
    return subprocess.run(command, input=pdf, capture_output=True, check=True).stdout


def scan(*pages: bytes, turn: str = "1.5deg") -> bytes:
    """A PDF of pictures, each a little askew, as a scanner with a feeder makes it. An empty page is blank."""
    with tempfile.TemporaryDirectory() as folder:
        source = '#set page(paper: "a4", margin: 0pt)\n'
        for number, page in enumerate(pages):
            (Path(folder) / f"{number}.jpg").write_bytes(page)
            source += f'#rotate({turn}, image("{number}.jpg", width: 100%))\n' if page else "#box[ ]\n"
            source += "#pagebreak()\n" if number < len(pages) - 1 else ""
        (Path(folder) / "scan.typ").write_text(source)
        return typst.compile(Path(folder) / "scan.typ", root=Path(folder))


class Head:
    """A head with a key and certificate, GOST's unless said otherwise, who signs outside with OpenSSL and its GOST engine."""

    def __init__(self, folder: Path, bits: int = 256, curve: str = "A", kind: str = "gost") -> None:
        self._folder = folder
        self._digest = f"md_gost12_{bits}" if kind == "gost" else "sha256"
        folder.mkdir(parents=True, exist_ok=True)
        key = [f"gost2012_{bits}", "-pkeyopt", f"paramset:{curve}"] if kind == "gost" else ["rsa:2048"]
        files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
        subject = ["-subj", "/CN=Супрун Ирина Евгеньевна"]
        subprocess.run([*_NEW_CERTIFICATE, "-newkey", *key, *files, *subject], check=True, capture_output=True)

    def sign(self, file: bytes, *options: str, form: str = "DER") -> bytes:
        """A detached signature in CMS."""
        made = ["-signer", str(self._folder / "certificate.pem"), "-inkey", str(self._folder / "key.pem")]
        digest = ["-md", self._digest, "-binary", "-outform", form]
        command = ["openssl", "cms", "-engine", "gost", "-sign", *made, *digest, *options]
        return subprocess.run(command, input=file, check=True, capture_output=True).stdout


def _has_gost() -> bool:
    if shutil.which("openssl") is None:
        return False
    return subprocess.run(["openssl", "engine", "gost"], capture_output=True, check=False).returncode == 0


needs_gost = pytest.mark.skipif(not _has_gost(), reason="libengine-gost-openssl is not installed: make setup-debian (as root)")
