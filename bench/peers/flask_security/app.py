"""Flask-Security with its WebAuthn feature, on SQLite; gunicorn serves `app`.

Accounts are registered without a password (unified sign-in), so that no password is hashed; then
the passkey is added in the session that this makes. No audit trail: it tracks the last login.
"""

import os
import secrets
from datetime import timedelta

from flask import Flask, jsonify
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user
from flask_security.models import fsqla_v3 as fsqla
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event

app = Flask(__name__)
app.config.update(
    SECRET_KEY=secrets.token_urlsafe(32),
    SECURITY_PASSWORD_SALT=secrets.token_urlsafe(16),
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.getcwd()}/peer.db",  # noqa: PTH109
    # One connection for each thread of the server.
    SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 32, "connect_args": {"timeout": 30}},
    SECURITY_WEBAUTHN=True,
    SECURITY_WAN_ALLOW_AS_FIRST_FACTOR=True,
    SECURITY_WAN_ALLOW_USER_HINTS=True,
    SECURITY_REGISTERABLE=True,
    SECURITY_SEND_REGISTER_EMAIL=False,
    SECURITY_UNIFIED_SIGNIN=True,
    SECURITY_US_ENABLED_METHODS=["email"],
    SECURITY_TOTP_SECRETS={"1": secrets.token_urlsafe(32)},
    SECURITY_TOTP_ISSUER="bench",
    SECURITY_PASSWORD_REQUIRED=False,
    SECURITY_USE_REGISTER_V2=True,
    SECURITY_TRACKABLE=True,
    SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
    SECURITY_FRESHNESS=timedelta(minutes=60),
    WTF_CSRF_ENABLED=False,
)
db = SQLAlchemy(app)
fsqla.FsModels.set_db_info(db)


class Role(db.Model, fsqla.FsRoleMixin):
    """Its own columns."""


class User(db.Model, fsqla.FsUserMixin):
    """Its own columns."""


class WebAuthn(db.Model, fsqla.FsWebAuthnMixin):
    """Its own columns."""


@event.listens_for(Engine, "connect")
def _configure(connection, _record):
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={os.environ.get('SYNCHRONOUS', 'FULL')}")


Security(app, SQLAlchemyUserDatastore(db, User, Role, WebAuthn))
with app.app_context():
    db.create_all()


@app.get("/livez")
def livez():
    """Whether it is there."""
    return "ok"


@app.get("/me")
@auth_required("token")
def me():
    """The profile of the token's owner."""
    return jsonify(id=current_user.fs_uniquifier, email=current_user.email)
