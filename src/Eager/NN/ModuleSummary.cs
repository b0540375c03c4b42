using System.Globalization;
using System.Text;

namespace Fusion.NN;

/// <summary>Runs a module once and watches what its parts give out.</summary>
internal sealed class ModuleSummary(Module root)
{
    private readonly Dictionary<Module, string> _outputs = new(ReferenceEqualityComparer.Instance);

    public string Run(Shape inputShape, DType dtype)
    {
        List<(string Name, Module Module)> parts = [];
        Collect(root, string.Empty, parts);
        Func<NDArray, NDArray>?[] hooks = new Func<NDArray, NDArray>?[parts.Count];
        for (int i = 0; i < hooks.Length; i++) hooks[i] = parts[i].Module.ForwardHook;
        try
        {
            foreach ((_, Module module) in parts) module.ForwardHook = x => Watch(module, x);
            using RecordScope scope = Autograd.Pause();
            root.Forward(Nd.Zeros(inputShape, dtype, root.Parameters.Values.FirstOrDefault()?.Device));
        }
        finally
        {
            for (int i = 0; i < hooks.Length; i++) parts[i].Module.ForwardHook = hooks[i];
        }

        return Table(inputShape, parts);
    }

    private NDArray Watch(Module module, NDArray x)
    {
        NDArray y = module.Value(x);
        _outputs[module] = y.Shape.ToString();
        return y;
    }

    private string Table(Shape inputShape, List<(string Name, Module Module)> parts)
    {
        List<string[]> rows = [["Module", "Type", "Output", "Parameters"], ["(input)", string.Empty, inputShape.ToString(), string.Empty]];
        foreach ((string name, Module module) in parts)
        {
            string parameters = Number(module.Parameters.Values.Sum(p => p.Size));
            rows.Add([name.Length == 0 ? "(all)" : name, module.GetType().Name, _outputs.GetValueOrDefault(module, "-"), parameters]);
        }

        int[] widths = new int[4];
        foreach (string[] row in rows)
            for (int i = 0; i < 4; i++) widths[i] = Math.Max(widths[i], row[i].Length);
        StringBuilder text = new();
        foreach (string[] row in rows)
            text.AppendJoin("  ", row[0].PadRight(widths[0]), row[1].PadRight(widths[1]), row[2].PadRight(widths[2]), row[3].PadLeft(widths[3])).AppendLine();
        return text.ToString();
    }

    private static void Collect(Module module, string name, List<(string Name, Module Module)> parts)
    {
        foreach ((string key, Module child) in module.Children) Collect(child, name.Length == 0 ? key : $"{name}.{key}", parts);
        if (!parts.Exists(p => ReferenceEquals(p.Module, module))) parts.Add((name, module));
    }

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
