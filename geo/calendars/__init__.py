"""The days a city works and rests: public holidays and the weekends worked for them, kept by staff as data."""
