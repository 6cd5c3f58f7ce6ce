"""装修垃圾预约, for residents and for the desk."""
