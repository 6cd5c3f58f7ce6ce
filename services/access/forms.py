"""Forms of the account pages."""

from django import forms
from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """Sign-in by account name and password, in the house's words."""

    error_messages = {
        "invalid_login": "账号或密码不对，请核对后再试。连续输错 5 次会锁定 15 分钟。",
        "inactive": "这个账号已停用，请联系管理员。",
    }

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["username"].label = "账号"
        self.fields["password"].label = "密码"
        self.fields["username"].widget.attrs.update({"autocomplete": "username", "class": "input", "autofocus": True})
        self.fields["password"].widget.attrs.update({"autocomplete": "current-password", "class": "input"})


class ApiKeyForm(forms.Form):
    """What a new key is for."""

    name = forms.CharField(
        label="这个密钥用在哪里",
        max_length=60,
        error_messages={"required": "请写下密钥的用途，便于以后停用。", "max_length": "用途最多 60 个字。"},
        widget=forms.TextInput(attrs={"class": "input", "placeholder": "例如：街道公众号小程序"}),
    )
