"""The declared field maps of ticket providers: one entry each, no code. A provider of another dialect is one more entry here."""

from __future__ import annotations

from typing import Final

from services.integrations.identity.spec import Exchange, TicketMap

SUISHENBAN: Final = TicketMap(
    key="suishenban",
    title="随申办",
    audience="resident",
    enter="/auth/authorize",
    enter_params={"client_id": "{app}", "redirect_uri": "{back}", "state": "{state}", "response_type": "code"},
    ticket_param="code",
    token=Exchange(
        path="/auth/token",
        encoding="form",
        sends={"appId": "{app}", "code": "{ticket}", "timestamp": "{moment}", "sign": "{signature}"},
        accepted=("code", "0"),
        signs="appId={app}&code={ticket}&timestamp={moment}",
        digest="hmac-sm3",
    ),
    token_field="data.accessToken",
    person=Exchange(
        path="/auth/user",
        encoding="json",
        sends={"appId": "{app}", "accessToken": "{token}", "timestamp": "{moment}", "sign": "{signature}"},
        accepted=("code", "0"),
        signs="accessToken={token}&appId={app}&timestamp={moment}",
        digest="hmac-sm3",
    ),
    fields={
        "subject": "data.userId",
        "name": "data.realName",
        "identity_number": "data.idCard",
        "phone": "data.mobile",
    },
)

ZHEZHENGDING: Final = TicketMap(
    key="zhezhengding",
    title="浙政钉",
    audience="staff",
    enter="/oauth2/auth.htm",
    enter_params={
        "client_id": "{app}",
        "redirect_uri": "{back}",
        "state": "{state}",
        "response_type": "code",
        "scope": "get_user_info",
    },
    ticket_param="code",
    token=Exchange(
        path="/gettoken.json",
        encoding="form",
        headers={
            "X-App-Key": "{app}",
            "X-Timestamp": "{moment}",
            "X-Nonce": "{nonce}",
            "X-Signature": "{signature}",
        },
        sends={"appkey": "{app}"},
        accepted=("success", "true"),
        signs="POST\n{moment}\n{nonce}\n/gettoken.json\nappkey={app}",
        digest="hmac-sha256",
    ),
    token_field="content.data.accessToken",
    person=Exchange(
        path="/rpc/oauth2/getuserinfo_bycode.json",
        encoding="form",
        headers={
            "X-App-Key": "{app}",
            "X-Timestamp": "{moment}",
            "X-Nonce": "{nonce}",
            "X-Signature": "{signature}",
        },
        sends={"access_token": "{token}", "code": "{ticket}"},
        accepted=("success", "true"),
        signs="POST\n{moment}\n{nonce}\n/rpc/oauth2/getuserinfo_bycode.json\naccess_token={token}&code={ticket}",
        digest="hmac-sha256",
    ),
    fields={"subject": "content.data.accountId", "name": "content.data.lastName"},
)

ZHENGWUYUN: Final = TicketMap(
    key="zhengwuyun",
    title="政务服务网",
    audience="resident",
    enter="/sso/login",
    enter_params={"servicecode": "{app}", "goto": "{back}"},
    ticket_param="ticket",
    token=Exchange(
        path="/sso/ticketValidation",
        encoding="form",
        sends={"servicecode": "{app}", "time": "{moment}", "sign": "{signature}", "st": "{ticket}"},
        accepted=("result", "0"),
        signs="{app}{secret}{moment}",
        digest="md5",
    ),
    token_field="token",
    person=Exchange(
        path="/sso/getUserInfo",
        encoding="form",
        sends={"servicecode": "{app}", "time": "{moment}", "sign": "{signature}", "token": "{token}"},
        accepted=("result", "0"),
        signs="{app}{secret}{moment}",
        digest="md5",
    ),
    fields={"subject": "userid", "name": "username", "identity_number": "idnum", "phone": "mobile"},
)

MAPS: Final = {each.key: each for each in (SUISHENBAN, ZHEZHENGDING, ZHENGWUYUN)}
