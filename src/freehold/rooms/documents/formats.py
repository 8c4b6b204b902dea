"""What each asserted ``format`` accepts, as PostgreSQL regular expressions over the whole text."""

from __future__ import annotations

_DAY = "(?:0[1-9]|[12][0-9]|3[01])"
_DATE = (
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-" + _DAY + "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    "|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
_OFFSET = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_TIME = (
    "(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]+)?" + _OFFSET + ""
    "|23:59:60(?:[.][0-9]+)?(?:[Zz]|[+-]00:00))"
)
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = _OCTET + "(?:[.]" + _OCTET + "){3}"
_H16 = "[0-9A-Fa-f]{1,4}"
_LS32 = "(?:" + _H16 + ":" + _H16 + "|" + _IPV4 + ")"


def _ipv6() -> str:
    """The nine forms of RFC 3986, section 3.2.2: the groups before the double colon, and those after it."""
    forms = ["(?:" + _H16 + ":){6}" + _LS32]
    for after in range(5, -1, -1):
        most = 5 - after
        before = "(?:(?:" + _H16 + ":){0," + str(max(most - 1, 0)) + "}" + _H16 + ")?" if most else ""
        forms.append(before + "::(?:" + _H16 + ":){" + str(after) + "}" + _LS32)
    forms.append("(?:(?:" + _H16 + ":){0,5}" + _H16 + ")?::" + _H16)
    forms.append("(?:(?:" + _H16 + ":){0,6}" + _H16 + ")?::")
    return "(?:" + "|".join(forms) + ")"


_IPV6 = _ipv6()
_PCHAR = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"
_HOST = "(?:\\[" + _IPV6 + "\\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)"
_USER = "(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?"
_AUTHORITY = "//" + _USER + _HOST + "(?::[0-9]*)?(?:/" + _PCHAR + "*)*"
_PATH = "(?:/(?:" + _PCHAR + "+(?:/" + _PCHAR + "*)*)?|" + _PCHAR + "+(?:/" + _PCHAR + "*)*|)"
_TAIL = "(?:[?](?:" + _PCHAR + "|[/?])*)?(?:#(?:" + _PCHAR + "|[/?])*)?"

FORMATS = {
    "uuid": "^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    "date": "^" + _DATE + "$",
    "time": "^" + _TIME + "$",
    "date-time": "^" + _DATE + "[Tt]" + _TIME + "$",
    "email": "^" + _ATOM + "(?:[.]" + _ATOM + ")*@" + _LABEL + "(?:[.]" + _LABEL + ")*$",
    "uri": "^[A-Za-z][A-Za-z0-9+.-]*:(?:" + _AUTHORITY + "|" + _PATH + ")" + _TAIL + "$",
    "ipv4": "^" + _IPV4 + "$",
    "ipv6": "^" + _IPV6 + "$",
}
"""RFC 4122, 3339 (a leap second only in UTC), 5321 (no quoted names, no address literals), 3986, 2673 and 4291."""
