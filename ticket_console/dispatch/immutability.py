"""What the database itself refuses to change, as DDL for the migration: policies as they were published."""

from ticket_console.tickets.immutability import written_once

CREATE_DDL, DROP_DDL = written_once("refuse_change_of_policies", ("dispatch_policy_version",))
