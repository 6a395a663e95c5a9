"""What notify keeps of access's roster: who may hear of whom, and students' classes."""

from chassis.projection import Kinds, write_places, write_relations
from diary.access.v1 import roster_pb2

KINDS: Kinds = {
    roster_pb2.ROSTER_KIND_STUDENT: write_places,
    roster_pb2.ROSTER_KIND_RELATION: write_relations,
}
