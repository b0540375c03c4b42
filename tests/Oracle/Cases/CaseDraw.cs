using Fusion.NN;
using Fusion.Oracle.Programs;
using static TorchSharp.torch;

namespace Fusion.Oracle.Cases;

/// <summary>Draws options, sizes and arrays of one element type. The same seed draws the same.</summary>
internal sealed class CaseDraw(int seed, DType dtype)
{
    private readonly Random _random = new(seed);

    public DType DType => dtype;

    /// <summary>From 0 to <paramref name="count"/> − 1.</summary>
    public int Int(int count) => _random.Next(count);

    /// <summary>Both bounds included.</summary>
    public int Int(int low, int high) => _random.Next(low, high + 1);

    public bool Flag() => _random.Next(2) == 0;

    public T Of<T>(params ReadOnlySpan<T> items) => items[_random.Next(items.Length)];

    /// <summary>A number of samples: odd ones, one, sometimes none.</summary>
    public int Batch() => Of(0, 1, 1, 2, 3, 5);

    /// <summary>A number with few digits.</summary>
    public double Number(double low, double high) => Math.Round(low + (_random.NextDouble() * (high - low)), 3);

    public int[] Sizes(int count, int low, int high) => [.. Enumerable.Range(0, count).Select(_ => Int(low, high))];

    /// <summary>Numbers that a Float32 holds, so that both types compute on the same.</summary>
    public NDArray Real(Shape shape, double low = -2, double high = 2) =>
        Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => (float)(low + (_random.NextDouble() * (high - low)))).ToArray(), shape).AsType(dtype);

    /// <summary>Numbers no two of which are alike.</summary>
    public NDArray Distinct(Shape shape)
    {
        int[] order = [.. Enumerable.Range(0, (int)shape.Size)];
        _random.Shuffle(order);
        return Nd.Array(order.Select(i => (float)((4.0 * (i + 0.5) / order.Length) - 2)).ToArray(), shape).AsType(dtype);
    }

    /// <summary>Integers from <paramref name="low"/> to <paramref name="high"/> − 1.</summary>
    public NDArray Integers(Shape shape, int low, int high, DType? type = null) =>
        Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => (long)_random.Next(low, high)).ToArray(), shape).AsType(type ?? DType.Int64);

    public NDArray Truths(Shape shape) => Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => _random.Next(2) == 0).ToArray(), shape);

    /// <summary>
    /// A case of a layer: its parameters get values of the draw, and LibTorch's side gets the same, by name. Any mode has a layer of its own.
    /// </summary>
    /// <param name="make">The layer.</param>
    /// <param name="run">Its results for the inputs; called once for each mode.</param>
    /// <param name="theirs">The same of inputs and parameters there.</param>
    public RandomCase Layer<TModule>(string text, NDArray[] inputs, Func<TModule> make, Func<TModule, IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> run,
        Func<Tensor[], Dictionary<string, Tensor>, Tensor[]> theirs)
        where TModule : Module
    {
        KeyValuePair<string, NDArray>[] values = [.. make().Parameters.Select(p => KeyValuePair.Create(p.Key, Real(p.Value.Shape, -0.6, 0.6)))];
        return new RandomCase(
            text,
            inputs,
            compiled =>
            {
                TModule layer = make();
                foreach ((string name, NDArray value) in values) layer.Parameters[name].Assign(value);
                return new OurSide(RandomCase.Compiled(x => run(layer, x), compiled), [.. values.Select(v => layer.Parameters[v.Key])]);
            },
            t =>
            {
                Dictionary<string, Tensor> parameters = values.ToDictionary(static v => v.Key, static v => Their.Of(v.Value, true));
                return new TheirSide(theirs(t, parameters)) { Parameters = [.. values.Select(v => parameters[v.Key])] };
            });
    }

    /// <summary>The usual layer: one input, one output.</summary>
    public RandomCase Layer(string text, NDArray x, Func<Module> make, Func<Tensor, Dictionary<string, Tensor>, Tensor> theirs) =>
        Layer(text, [x], make, static (layer, inputs) => [layer.Forward(inputs[0])], (t, p) => [theirs(t[0], p)]);

    /// <summary>Replaces the parameters of a module of LibTorch by ours, and ours by the module's: gradients are those of the module.</summary>
    public static TModule Loaded<TModule>(TModule module, Dictionary<string, Tensor> parameters)
        where TModule : nn.Module
    {
        foreach ((string name, TorchSharp.Modules.Parameter parameter) in module.named_parameters())
        {
            using (no_grad()) parameter.copy_(parameters[name]);
            parameters[name] = parameter;
        }

        return module;
    }

    /// <summary>Numbers as an option is written.</summary>
    public static string Text(IEnumerable<int> numbers) => $"({string.Join(", ", numbers)})";
}
