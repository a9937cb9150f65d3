"""What a design run leaves behind: design object, report, bill and pictures, written whole or not at all."""
