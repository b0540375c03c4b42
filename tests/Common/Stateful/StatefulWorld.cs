using Fusion.Optim;

namespace Fusion.Tests.Stateful;

/// <summary>Arrays that live outside of a function: those that it captures, and those that are passed to it again and again.</summary>
internal sealed class StatefulWorld
{
    private static readonly Shape s_shape = (2, 3);

    private readonly Dictionary<int, HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>>>? _nested;

    /// <param name="program">Whose arrays they are.</param>
    /// <param name="hybridizes">Functions inside of the function are hybridized.</param>
    public StatefulWorld(StatefulProgram program, bool hybridizes = false)
    {
        _nested = hybridizes ? [] : null;
        Device = program.Device;
        Random random = new(program.Seed);
        Captured =
        [
            Draw(s_shape, random), Draw(s_shape, random), Draw(3, random), Draw(default, random), Draw(s_shape, random, DType.Float64), Nd.Array([1, 0, 2, 1, 0, 1], s_shape).To(Device),
            Draw(s_shape, random, DType.Float16),
        ];
        Kept = [Draw(s_shape, random), Draw(s_shape, random), Draw(3, random)];
        Base = Draw((3, 3), random);
        foreach (NDArray array in (NDArray[])[.. Captured, .. Kept[..2]])
            if (array.DType.IsFloat && random.Next(2) == 0) array.AttachGrad(random.Next(2) == 0 ? GradReq.Write : GradReq.Add);
        Optimizer = random.Next(4) switch
        {
            0 => new Sgd(Captured[..2], 0.1, 0.9) { IgnoreStaleGradients = true },
            1 => new Adam(Captured[..3], 0.1) { IgnoreStaleGradients = random.Next(2) == 0 },
            2 => new RmsProp(Captured[..1], 0.1),
            _ => new Failing(Captured[..3]) { IgnoreStaleGradients = true },
        };
    }

    public Device Device { get; }

    public NDArray[] Captured { get; }

    /// <summary>Of three of the captured arrays.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>Eager clipping writes gradients that are too long, a compiled one all of them.</summary>
    public bool CountsGradientWrites { get; init; } = true;

    public NDArray[] Kept { get; }

    /// <summary>What overlapping views are taken of.</summary>
    public NDArray Base { get; }

    public IEnumerable<NDArray> All => [.. Captured, .. Kept, Base];

    /// <summary>Statements as a function of two arrays, hybridized where this world does so.</summary>
    public IReadOnlyList<NDArray> Nested(StatefulBody body, NDArray x, NDArray y)
    {
        StatefulBody alone = body.Alone;
        Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>> f = inputs => [alone.Run(inputs) is var result && (inputs.Contains(result) || Captured.Contains(result)) ? result.Copy() : result];
        if (_nested is null) return f([x, y]);
        if (!_nested.TryGetValue(body.Place, out HybridFunction<Func<IReadOnlyList<NDArray>, IReadOnlyList<NDArray>>>? compiled)) _nested.Add(body.Place, compiled = f.Hybridize());
        return compiled.Invoke([x, y]);
    }

    public NDArray Draw(Shape shape, Random random, DType dtype = DType.Float32) =>
        Nd.Array(Enumerable.Range(0, (int)shape.Size).Select(_ => random.Next(8) == 0 ? 0.0 : Math.Round(random.NextDouble() * 4 - 2, 2)).ToArray(), shape).AsType(dtype).To(Device);

    // Fails in the middle of a step, where that is in training mode.
    private sealed class Failing(IEnumerable<NDArray> parameters) : Optimizer(parameters, 0.1)
    {
        protected override void Update(int index, NDArray parameter, NDArray gradient)
        {
            if (index > 0 && Autograd.IsTraining) throw new InvalidDataException("no update today");
            parameter.Assign(parameter - gradient * LearningRate);
        }
    }
}
