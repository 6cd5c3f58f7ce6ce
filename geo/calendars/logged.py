"""What the log centre is told of the calendar of working days."""

from services.kernel.logs.spec import Tracked

TRACKED = (
    Tracked(
        kind="calendar_day",
        title="工作日历",
        model="calendars.CalendarDay",
        fields={"off": "放假", "name": "名称", "day": "日期"},
        name="name",
        actor="kept_by",
        history=True,
        page="/desk/calendar",
    ),
)
