package Notes;
# The database of the notes, as the settings file names it.
use strict;
use warnings;
use DBI;
use Sys::Hostname;

sub connection {
    open my $file, '<', '/opt/notes/etc/notes.yaml' or die "notes.yaml: $!";
    my %set = map { /^\s+(\w+):\s*(\S+)/ ? ($1 => $2) : () } <$file>;
    my ($host, $port) = split /:/, $set{server};
    return DBI->connect("dbi:Pg:dbname=notebook;host=$host;port=$port;connect_timeout=10",
        'notes_app', $set{password}, { RaiseError => 1, PrintError => 0 });
}

# Records that a job ran.
sub record {
    my ($dbh, $what) = @_;
    $dbh->do('insert into runs (what, host) values (?, ?)', undef, $what, hostname);
}

1;
