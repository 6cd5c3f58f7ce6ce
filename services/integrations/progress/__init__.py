"""Progress of cases fed back to where they came from (一网通办, 社区事务受理): the contract, our side of it, and a simulator."""
