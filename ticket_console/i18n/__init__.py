"""The gettext catalogs in Chinese and English, and the one function that looks a text up."""
