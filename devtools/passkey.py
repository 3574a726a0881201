"""Register and log in from the command line, with a software passkey.

    python -m devtools.passkey register --email jane@example.com
    TOKEN=$(python -m devtools.passkey login --email jane@example.com)

Only the access token goes to standard output; messages for people go to standard error.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cli.errors import CommandError
from devtools.authenticator import AlgorithmNotOffered, AlreadyRegistered, NoPasskey
from devtools.ceremonies import Ceremonies
from devtools.passkey_store import PasskeyStore

REFUSED = 1

EPILOG: Final = """\
exit status: 0 done, 1 refused by the service (or no passkey fits), 2 wrong arguments or not
localhost, 3 no service at the URL.
Danger: the file holds private keys in clear. The command works with localhost only."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments`, and return the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.email and not options.usernameless:
        parser.error("--email is required, except for a login with --usernameless")
    try:
        with Ceremonies(options.url, PasskeyStore(options.store)) as ceremonies:
            _COMMANDS[options.command](ceremonies, options)
    except NoPasskey:
        who = options.email or "any account"
        return _fail(REFUSED, f"no passkey for {who} in {options.store} fits: register first")
    except (AlreadyRegistered, AlgorithmNotOffered) as error:
        return _fail(REFUSED, str(error))
    except CommandError as error:
        return _fail(error.exit_status, str(error))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m devtools.passkey",
        description="A software passkey that runs the real ceremonies against a local service.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_register(commands.add_parser("register", help="create an account and log in"))
    _add_login(commands.add_parser("login", help="log in and print the access token"))
    _add_login(commands.add_parser("whoami", help="log in and print the user"))
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--email", help="the email of the account")
    add("--url", default="http://localhost:8000", help="the service (default: %(default)s)")
    add(
        "--store",
        type=Path,
        default=Path(".passkeys.json"),
        metavar="FILE",
        help="the file with the passkeys, readable by its owner only (default: %(default)s)",
    )
    add(
        "--json",
        action="store_true",
        help="print the whole answer, with token and user id",
    )


def _add_register(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.set_defaults(usernameless=False)
    add = parser.add_argument
    add("--first-name", default="Jane", help="default: %(default)s")
    add("--last-name", default="Doe", help="default: %(default)s")
    add("--date-of-birth", default="1990-01-15", metavar="YYYY-MM-DD", help="default: %(default)s")
    add("--job-title", default="Engineer", help="default: %(default)s")


def _add_login(parser: argparse.ArgumentParser) -> None:
    _add_common(parser)
    parser.add_argument(
        "--usernameless",
        action="store_true",
        help="do not send the email to the service; without --email use the newest passkey",
    )


def _register(ceremonies: Ceremonies, options: argparse.Namespace) -> None:
    names = ("first_name", "last_name", "email", "date_of_birth", "job_title")
    user = ceremonies.register({name: getattr(options, name) for name in names})
    _say(f"registered {user['email']} as user {user['id']}")
    _print_login(ceremonies.login(options.email), options)


def _login(ceremonies: Ceremonies, options: argparse.Namespace) -> None:
    _print_login(ceremonies.login(options.email, usernameless=options.usernameless), options)


def _whoami(ceremonies: Ceremonies, options: argparse.Namespace) -> None:
    answer = ceremonies.login(options.email, usernameless=options.usernameless)
    user = ceremonies.user(answer["user"]["id"], answer["access_token"])
    print(json.dumps({**answer, "user": user} if options.json else user, indent=2))


_COMMANDS: Final = {"register": _register, "login": _login, "whoami": _whoami}


def _print_login(answer: dict[str, Any], options: argparse.Namespace) -> None:
    _say(f"logged in as {answer['user']['email']} (role: {answer['user']['role']})")
    print(json.dumps(answer, indent=2) if options.json else answer["access_token"])


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _fail(code: int, text: str) -> int:
    _say(f"passkey: {text}")
    return code


if __name__ == "__main__":
    sys.exit(main())
