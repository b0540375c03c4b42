using System.Text;
using Fusion.Optim;

namespace Fusion.Tests.Stateful;

/// <summary>A function of three arrays, and how it is called. Values are the arguments, the captured arrays, then one for each statement that computes something.</summary>
/// <param name="Body">What it does.</param>
/// <param name="Results">Which values it returns, counted modulo what exists.</param>
/// <param name="Calls">The calls, one after the other.</param>
/// <param name="Seed">Of the world.</param>
internal sealed record StatefulProgram(Statement[] Body, int[] Results, StatefulCall[] Calls, int Seed)
{
    /// <summary>Where all arrays are.</summary>
    public Device Device { get; init; } = Device.Cpu;

    public IReadOnlyList<NDArray> Run(IReadOnlyList<NDArray> inputs, StatefulWorld world)
    {
        List<NDArray> values = [.. inputs, .. world.Captured];
        Execute(values, inputs, world, 0, Body.Length);
        return [.. Results.Select(i => values[i % values.Count])];
    }

    public override string ToString()
    {
        StringBuilder text = new();
        foreach (Statement statement in Body) text.AppendLine($"  {statement}");
        text.AppendLine($"  results {string.Join(", ", Results)}; seed {Seed}");
        foreach (StatefulCall call in Calls) text.AppendLine($"  {call}");
        return text.ToString();
    }

    /// <summary>Runs a part of the body, which adds to the values; what changes something is left out where it is to be pure.</summary>
    public void Execute(List<NDArray> values, IReadOnlyList<NDArray> inputs, StatefulWorld world, int from, int to, bool pure = false)
    {
        for (int i = from; i < to; i++)
        {
            (string name, int first, int second, int detail) = Body[i];
            if (StatefulOps.Scopes.Contains(name))
            {
                int end = Math.Min(to, i + 2 + detail % 5);
                using (Open(name, detail)) Execute(values, inputs, world, i + 1, end, pure);
                i = end - 1;
                continue;
            }

            if (pure && (StatefulOps.OptimizerCalls.ContainsKey(name) || StatefulOps.Effects.ContainsKey(name) || name == "Grad")) continue;
            if (StatefulOps.OptimizerCalls.TryGetValue(name, out Action<Optimizer, int>? call))
            {
                call(world.Optimizer, detail);
                continue;
            }

            (NDArray x, NDArray y) = (Value(values, first), Value(values, second));
            if (StatefulBlocks.Rows.TryGetValue(name, out Func<StatefulBody, NDArray, NDArray, int, IReadOnlyList<NDArray>>? block))
            {
                int end = Math.Min(to, i + 2 + detail % 5);
                values.AddRange(block(new StatefulBody(this, world, [.. values], inputs, i + 1, end, pure), x, y, detail));
                i = end - 1;
                continue;
            }

            // A gradient that is attached to an input inside is the call's own.
            if (name == "Attach" && x.GradReq == GradReq.Null && inputs.Contains(x)) continue;
            if (StatefulOps.Functions.TryGetValue(name, out Func<NDArray, NDArray, int, NDArray>? function)) values.Add(function(x, y, detail));
            else StatefulOps.Effects[name](x, y, detail);
        }
    }

    private static RecordScope Open(string name, int detail) => name switch
    {
        "Record" => Autograd.Record(detail % 2 == 0),
        "Pause" => Autograd.Pause(),
        "Train" => Autograd.TrainMode(),
        _ => Autograd.PredictMode(),
    };

    private static NDArray Value(List<NDArray> values, int place) => place < 0 ? values[Math.Max(0, values.Count + place)] : values[place % values.Count];
}
