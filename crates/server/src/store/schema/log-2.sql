DROP INDEX events_pieces;
