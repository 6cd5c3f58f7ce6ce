"""GCJ-02 and BD-09 as published, formula by formula in NumPy: the independent reference of tests and the peer of the bench."""

from __future__ import annotations

import numpy as np

A, EE = 6378245.0, 0.00669342162296594323
X_PI = np.pi * 3000.0 / 180.0


def gcj_from_wgs(lon, lat):
    x, y = lon - 105.0, lat - 35.0
    sin = np.sin
    waves = (20.0 * sin(6.0 * x * np.pi) + 20.0 * sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + waves
    north = north + (20.0 * sin(y * np.pi) + 40.0 * sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north = north + (160.0 * sin(y / 12.0 * np.pi) + 320 * sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + waves
    east = east + (20.0 * sin(x * np.pi) + 40.0 * sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east = east + (150.0 * sin(x / 12.0 * np.pi) + 300.0 * sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = lat / 180.0 * np.pi
    magic = 1 - EE * sin(phi) ** 2
    root = np.sqrt(magic)
    north = (north * 180.0) / ((A * (1 - EE)) / (magic * root) * np.pi)
    east = (east * 180.0) / (A / root * np.cos(phi) * np.pi)
    return lon + east, lat + north


def wgs_from_gcj_once(lon, lat):
    there_lon, there_lat = gcj_from_wgs(lon, lat)
    return 2 * lon - there_lon, 2 * lat - there_lat


def wgs_from_gcj(lon, lat, rounds=5):
    x, y = lon, lat
    for _ in range(rounds):
        image_x, image_y = gcj_from_wgs(x, y)
        x, y = x + (lon - image_x), y + (lat - image_y)
    return x, y


def baidu_from_gcj(lon, lat):
    z = np.sqrt(lon * lon + lat * lat) + 0.00002 * np.sin(lat * X_PI)
    theta = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * X_PI)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def gcj_from_baidu_once(lon, lat):
    x, y = lon - 0.0065, lat - 0.006
    z = np.sqrt(x * x + y * y) - 0.00002 * np.sin(y * X_PI)
    theta = np.arctan2(y, x) - 0.000003 * np.cos(x * X_PI)
    return z * np.cos(theta), z * np.sin(theta)


def gcj_from_baidu(lon, lat, rounds=7):
    x, y = gcj_from_baidu_once(lon, lat)
    for _ in range(rounds):
        image_x, image_y = baidu_from_gcj(x, y)
        x, y = x + (lon - image_x), y + (lat - image_y)
    return x, y
