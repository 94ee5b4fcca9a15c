"""Technicians, crews, vendors, skills, certificates, territories, shifts and absences."""
