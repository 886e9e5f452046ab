# The notes' web app.
use strict;
use warnings;
use lib '/opt/notes/lib';
use Notes;
use Sys::Hostname;

my $dbh;

sub {
    my $env = shift;
    my $answer = eval {
        $dbh = Notes::connection() unless $dbh && $dbh->ping;
        if ($env->{REQUEST_METHOD} eq 'POST') {
            read $env->{'psgi.input'}, my $text, $env->{CONTENT_LENGTH} || 0;
            $dbh->selectrow_array('insert into notes (text) values (?) returning id', undef, $text);
        }
        else {
            'notes: ' . $dbh->selectrow_array('select count(*) from notes');
        }
    };
    return [ 503, [ 'Content-Type' => 'text/plain' ], ["no database\n"] ] unless defined $answer;
    return [ 200, [ 'Content-Type' => 'text/plain', 'X-Served-By' => hostname ], ["$answer\n"] ];
};
