"""Everything a manager designs, as text: reviewed in a pull request, carried to another installation."""
