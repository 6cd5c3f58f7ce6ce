"""养老服务申请: what families apply for at a place for elders, and where else the city takes such applications."""
