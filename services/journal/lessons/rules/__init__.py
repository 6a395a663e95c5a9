"""Recording a lesson and who was absent from it, decided."""
