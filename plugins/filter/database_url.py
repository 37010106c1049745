"""Filter: a part of a database's address."""

from __future__ import annotations

from collections.abc import Callable

from ansible.errors import AnsibleFilterError

from ansible_collections.todochat.platform.plugins.module_utils.base.database_url import AddressError, certificates, parameters

DOCUMENTATION = r"""
name: database_url
short_description: A part of a database's address, as PostgreSQL's own library reads it
description:
  - Decodes it. An address that cannot be used is refused in words that repeat none of it.
positional: part
options:
  _input: {type: str, required: true, description: "The address, as in postgresql://user:password@host:5432/database. Of an empty one each part is empty."}
  part:
    type: str
    required: true
    description:
      - C(host), C(port), C(dbname) or another parameter of the library's; C(hostaddr) is the host where it is not given.
      - With C(certificates), those (PEM) by which the server's own is checked, from the file of this machine that C(sslrootcert) names, else those
        that this machine trusts; empty where nothing is to be checked.
"""

EXAMPLES = r"""
host: "{{ database_url | todochat.platform.database_url('host') }}"
"""

RETURN = r"""
_value: {type: str, description: The part.}
"""


def database_url(url: str, part: str) -> str:
    if not url:
        return ""
    try:
        given = parameters(str(url))
        return certificates(given) if part == "certificates" else {"hostaddr": given["host"], **given}.get(part, "")
    except AddressError as error:
        raise AnsibleFilterError(f"The database's address {error}") from None


class FilterModule:
    """As Ansible finds it."""

    def filters(self) -> dict[str, Callable[..., str]]:
        return {"database_url": database_url}
