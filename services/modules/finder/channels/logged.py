"""What the log centre is told of channels."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="channel_setting",
        title="渠道",
        model="finder_channels.ChannelSetting",
        fields={"on": "是否启用", "elder": "长辈版", "entry": "打开的页面"},
        name="channel",
        actor="changed_by",
        history=True,
        instead="在“渠道”里改回来。",
        page="/desk/channels",
    ),
)
