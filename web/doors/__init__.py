"""The pages people meet: finding services, one place, all places, favourites, 长辈版, help and the coordinate tool."""
