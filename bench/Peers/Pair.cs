using static TorchSharp.torch;

namespace Fusion.Peers;

/// <summary>One function, as Fusion and as LibTorch spell it, and its inputs: what most cases are made from.</summary>
/// <param name="Area">The part of the report.</param>
/// <param name="Name">What is computed, with sizes.</param>
/// <param name="Inputs">Makes the inputs, the same at every call; those of floating point are differentiated.</param>
internal sealed record Pair(string Area, string Name, Func<NDArray[]> Inputs, Func<NDArray[], NDArray> Ours, Func<Tensor[], Tensor> Theirs)
{
    /// <summary>Part of <c>--quick</c>.</summary>
    public bool IsQuick { get; init; } = true;

    /// <summary>Also hybridized.</summary>
    public bool IsCompiled { get; init; }

    /// <summary>Which inputs are differentiated, where it is not all of floating point.</summary>
    public int[]? Variables { get; init; }

    /// <summary>The training flag of what is recorded.</summary>
    public bool IsTraining { get; init; } = true;

    public double Tolerance { get; init; } = 1e-3;

    /// <summary>The least work of a call forward, and of one with backward.</summary>
    public Work Work { get; init; }

    /// <summary>Contenders beside Fusion and LibTorch.</summary>
    public Func<NDArray[], Contender[]>? Others { get; init; }

    /// <summary>The function alone.</summary>
    public PeerCase Forward() => new(Area, Name, () =>
    {
        NDArray[] x = Inputs();
        Tensor[] t = [.. x.Select(static a => TorchSide.Of(a))];
        Contender eager = FusionSide.Eager(() => Ours(x)), torch = TorchSide.Contender(() => Theirs(t));
        Contender[] all = IsCompiled ? [FusionSide.Hybridized(() => Ours(x)), eager, torch] : [eager, torch];
        return Others is null ? all : [.. all, .. Others(x)];
    })
    {
        IsQuick = IsQuick,
        Tolerance = Tolerance,
        Work = Work,
        Exact = () => TorchSide.Elements(() => Theirs([.. Inputs().Select(static a => TorchSide.Double(a))])),
    };

    /// <summary>The function while its tape is recorded, eagerly.</summary>
    public PeerCase Recorded() => new(Area, $"{Name}, recorded", () =>
    {
        NDArray[] x = Inputs();
        for (int i = 0; i < x.Length; i++)
            if (IsVariable(x[i], i)) x[i].AttachGrad();
        Tensor[] t = [.. x.Select((a, i) => TorchSide.Of(a, IsVariable(a, i)))];
        return [FusionSide.Eager(Run), TorchSide.Contender(() => Theirs(t))];

        NDArray Run()
        {
            using (Autograd.Record(IsTraining)) return Ours(x);
        }
    }) { IsQuick = IsQuick, Tolerance = Tolerance, Work = Work, Exact = Forward().Exact };

    /// <summary>The function recorded, and the gradients of all inputs from a random head gradient.</summary>
    public PeerCase WithBackward() => new(Area, $"{Name}, forward and backward", () =>
    {
        NDArray[] x = Inputs(), variables = [.. x.Where((a, i) => IsVariable(a, i))];
        foreach (NDArray v in variables) v.AttachGrad();
        NDArray head = Head(Ours(x).Shape);
        Tensor[] t = [.. x.Select((a, i) => TorchSide.Of(a, IsVariable(a, i)))];
        Tensor theirHead = TorchSide.Of(head);
        Func<NDArray> step = () =>
        {
            NDArray y;
            using (Autograd.Record(IsTraining)) y = Ours(x);
            y.Backward(head);
            return y;
        };
        HybridFunction<Func<NDArray>> compiled = step.Hybridize();
        Contender eager = Differentiated(Contender.Eager, step);
        Contender torch = new(Contender.Torch, TorchSide.Scoped(() => Backward(t, theirHead)), () => Gradients(t, theirHead));
        if (!IsCompiled) return [eager, torch];
        Contender hybridized = Differentiated(Contender.Hybridized, compiled.Invoke);
        return [hybridized with { Fallback = () => compiled.Report.FellBack ? compiled.Report.FallbackReason : null }, eager, torch];

        Contender Differentiated(string name, Func<NDArray> run) => new(name, () => run(), () =>
        {
            run();
            return [.. variables.SelectMany(static v => FusionSide.Elements(v.Grad!))];
        });
    })
    {
        IsQuick = IsQuick,
        Tolerance = Tolerance,
        Work = Work,
        Exact = () =>
        {
            NDArray[] x = Inputs();
            return Gradients([.. x.Select((a, i) => TorchSide.Double(a, IsVariable(a, i)))], TorchSide.Double(Head(Ours(x).Shape)));
        },
    };

    private bool IsVariable(NDArray x, int index) => Variables?.Contains(index) ?? x.DType is DType.Float32 or DType.Float64;

    private static NDArray Head(Shape shape) => FusionSide.Normal(shape, 99);

    private void Backward(Tensor[] t, Tensor head)
    {
        foreach (Tensor v in t)
            if (v.requires_grad) v.grad = null!;
        Theirs(t).backward([head]);
    }

    private double[] Gradients(Tensor[] t, Tensor head)
    {
        TorchSide.Scoped(() => Backward(t, head))();
        return [.. t.Where(static v => v.requires_grad).SelectMany(static v => Table.TorchArrays.Elements(v.grad ?? zeros_like(v)))]; // null where the result does not depend on it
    }
}
