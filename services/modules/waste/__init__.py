"""装修垃圾预约: appointments for waste of renovation, each at a position with its fence, told to the back end of 一张图."""
