"""Check-ins of people who serve at somebody's home: visits, where and when they are confirmed, by whom, and the record of it."""
