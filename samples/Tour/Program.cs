// A walk through Autograd: every stop prints what it computes and checks it against what mathematics says.
using System.Globalization;
using Fusion;
using Tour;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
(string Title, Func<bool> Run)[] stops =
[
    ("Scopes: what is recorded, and how layers behave", Stops.Scopes),
    ("Gradients, one backward, several heads", Stops.Heads),
    ("Gradients of gradients: the derivatives of sin", Stops.HigherOrders),
    ("A function of your own: rounding that lets gradients through", Stops.CustomFunction),
    ("Checkpoints: memory for time", Stops.Checkpoint),
    ("The tape as text", Stops.SymbolText),
    ("The same, compiled", Stops.Hybridized),
];
int failed = 0;
foreach ((string title, Func<bool> run) in stops)
{
    Console.WriteLine($"── {title}");
    bool holds = run();
    if (!holds) failed++;
    Console.WriteLine(holds ? "   as expected" : "   NOT as expected");
    Console.WriteLine();
}

return failed;
