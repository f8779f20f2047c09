"""`[[sources]]` tables become connectors: the only file that names concrete ones."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from ken.errors import InvalidSetting
from ken.knowledge.permissions import Policy
from ken.knowledge.sources.client import ClientLimits
from ken.knowledge.sources.confluence import ConfluenceConnector, ConfluenceScope
from ken.knowledge.sources.folder import FolderConnector
from ken.knowledge.sources.git import GitConnector, GitScope
from ken.knowledge.sources.git_command import GitAccess, GitLimits
from ken.knowledge.sources.github import GithubConnector, GithubScope
from ken.knowledge.sources.imap import ImapConnector
from ken.knowledge.sources.imap_session import ImapLimits, ImapLogin
from ken.knowledge.sources.mbox import MboxConnector
from ken.knowledge.sources.notion import NotionConnector
from ken.knowledge.sources.s3 import Bucket, S3Connector
from ken.knowledge.sources.sigv4 import AccessKey
from ken.knowledge.sources.slack import SlackConnector
from ken.knowledge.sources.source import Connector
from ken.knowledge.sources.sql import SqlColumns, SqlConnector, SqlLimits
from ken.knowledge.sources.web import WebConnector, WebScope
from ken.source_settings import (
    ConfluenceSettings,
    FolderSettings,
    GithubSettings,
    GitSettings,
    ImapSettings,
    MboxSettings,
    NotionSettings,
    S3Settings,
    SlackSettings,
    SourceSettings,
    SqlSettings,
    WebSettings,
)
from ken.storage.sources import Source


def source_of(settings: SourceSettings) -> Source:
    """The source that a table describes, as the home knows it."""
    policy = policy_of(settings)
    return Source(
        id=settings.name,
        kind=settings.kind,
        location="",
        collection=settings.home_of_documents,
        default_groups=policy.default_groups,
        policy=policy.name,
    )


def policy_of(settings: SourceSettings) -> Policy:
    """Who may read what, by a table."""
    return Policy(frozenset(settings.groups), tuple((rule.path, frozenset(rule.groups)) for rule in settings.rules))


def connector_of(settings: SourceSettings, *, home: Path, max_bytes: int) -> Connector:
    """The connector that a table describes. Raises InvalidSetting, InvalidInput."""
    secret = _secret(settings)
    match settings:
        case FolderSettings():
            return FolderConnector(place_of(settings.path, home=home), max_bytes=max_bytes)
        case GitSettings():
            scope = GitScope(
                ref=settings.ref, folder=settings.folder, include=settings.include, exclude=settings.exclude
            )
            key = settings.ssh_key and place_of(settings.ssh_key, home=home)
            access = GitAccess(token=secret, user=settings.user, ssh_key=key, allow_local=settings.allow_local)
            limits = GitLimits(max_bytes=max_bytes)
            return GitConnector(settings.url, cache=_clone(home, settings), scope=scope, access=access, limits=limits)
        case SqlSettings():
            columns = SqlColumns(
                id=settings.id_column,
                text=settings.text_columns,
                title=settings.title_column,
                groups=settings.groups_column,
                url=settings.url_column,
                modified=settings.modified_column,
            )
            address = secret or settings.url or ""
            return SqlConnector(address, settings.query, columns=columns, limits=SqlLimits(max_bytes=max_bytes))
        case SlackSettings():
            return SlackConnector(place_of(settings.path, home=home), workspace_url=settings.url)
        case MboxSettings():
            return MboxConnector(place_of(settings.path, home=home), max_bytes=max_bytes)
        case ImapSettings():
            return _mailbox(settings, secret, home=home, max_bytes=max_bytes)
        case _:
            return _over_http(settings, secret, home=home, max_bytes=max_bytes)


def place_of(path: Path, *, home: Path) -> Path:
    """A path of ken.toml: one that is not absolute counts from the home, wherever `ken` was started."""
    return home / path.expanduser()


def _mailbox(settings: ImapSettings, secret: str | None, *, home: Path, max_bytes: int) -> Connector:
    return ImapConnector(
        settings.host,
        login=ImapLogin(user=settings.user, password=secret or ""),
        folders=settings.folders,
        port=settings.port,
        security=settings.security,
        ca_file=settings.ca_file and place_of(settings.ca_file, home=home),
        limits=ImapLimits(max_bytes=max_bytes),
    )


def _over_http(
    settings: WebSettings | S3Settings | ConfluenceSettings | NotionSettings | GithubSettings,
    secret: str | None,
    *,
    home: Path,
    max_bytes: int,
) -> Connector:
    hosts = frozenset(settings.allow_hosts)
    limits = ClientLimits(max_bytes=max_bytes, requests_per_s=settings.requests_per_s)
    match settings:
        case WebSettings():
            scope = WebScope(
                mode=settings.mode,
                max_depth=settings.max_depth,
                max_pages=settings.max_pages,
                hosts=settings.hosts,
                include=settings.include,
                exclude=settings.exclude,
            )
            return WebConnector(settings.urls, scope=scope, allowed_hosts=hosts, limits=limits)
        case S3Settings():
            bucket = Bucket(
                endpoint=settings.endpoint, name=settings.bucket, prefix=settings.prefix, path_style=settings.path_style
            )
            key = (
                AccessKey(key_id=settings.access_key, secret=secret, region=settings.region)
                if settings.access_key and secret
                else None
            )
            return S3Connector(bucket, key, allowed_hosts=hosts, limits=limits)
        case ConfluenceSettings():
            spaces = ConfluenceScope(
                spaces=settings.spaces,
                blog_posts=settings.blog_posts,
                attachments=settings.attachments,
                body=settings.body,
                space_groups={key: frozenset(groups) for key, groups in settings.space_groups.items()},
            )
            return ConfluenceConnector(
                settings.url, secret or "", email=settings.email, scope=spaces, allowed_hosts=hosts, limits=limits
            )
        case NotionSettings():
            return NotionConnector(
                secret or "", roots=settings.roots, base_url=settings.url, allowed_hosts=hosts, limits=limits
            )
        case GithubSettings():
            return GithubConnector(
                settings.repository,
                token=secret,
                base_url=settings.url,
                scope=GithubScope(pull_requests=settings.pull_requests),
                wiki=_wiki(settings, secret, home=home, max_bytes=max_bytes) if settings.wiki else None,
                allowed_hosts=hosts,
                limits=limits,
            )


def _wiki(settings: GithubSettings, secret: str | None, *, home: Path, max_bytes: int) -> Connector:
    server = urlsplit(settings.url)
    return GitConnector(
        f"{server.scheme}://{server.netloc.removeprefix('api.')}/{settings.repository}.wiki.git",
        cache=_clone(home, settings),
        access=GitAccess(token=secret),
        limits=GitLimits(max_bytes=max_bytes),
    )


def _clone(home: Path, settings: SourceSettings) -> Path:
    return home / "clones" / settings.name


def _secret(settings: SourceSettings) -> str | None:
    variable = getattr(settings, settings.variable) if settings.variable else None
    if variable and settings.token is None:
        raise InvalidSetting(
            f"The source {settings.name!r} wants its secret in the environment variable {variable!r}, which is not set. "
            "Set it where `ken` runs."
        )
    return settings.token.get_secret_value() if settings.token is not None else None
