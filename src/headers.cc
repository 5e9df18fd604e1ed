// Holds the precompiled headers of the rooms.
