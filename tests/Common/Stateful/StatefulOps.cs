using Fusion.Optim;

namespace Fusion.Tests.Stateful;

/// <summary>What statements can do: compute a value, write in place, differentiate, attach and drop gradients, draw, branch.</summary>
internal static class StatefulOps
{
    private static readonly double[] s_numbers = [1, 0, 2, -1, 0.5, -0.0, 3];

    /// <summary>Scopes over the statements that follow.</summary>
    public static readonly string[] Scopes = ["Record", "Pause", "Train", "Predict"];

    /// <summary>Functions without effects.</summary>
    public static readonly Dictionary<string, Func<NDArray, NDArray, int, NDArray>> Functions = new()
    {
        ["Add"] = static (x, y, _) => Broadcasts(x, y) ? x + y : x.Tanh(),
        ["Multiply"] = static (x, y, d) => Broadcasts(x, y) ? x * y * Number(d) : x.Tanh(),
        ["Subtract"] = static (x, y, _) => Broadcasts(x, y) ? x - y : x.Tanh(),
        ["Maximum"] = static (x, y, _) => Broadcasts(x, y) ? x.Maximum(y) : x.Abs(),
        ["Where"] = static (x, y, _) => Broadcasts(x, y) ? Nd.Where(x > y, x, y * 2) : x.Abs(),
        ["Number"] = static (x, _, d) => d % 3 == 0 ? x * Number(d) : d % 3 == 1 ? x + Number(d) : Number(d) - x,
        ["Tanh"] = static (x, _, _) => x.Tanh(),
        ["Exp"] = static (x, _, _) => (-x.Abs()).Exp(),
        ["Square"] = static (x, _, _) => x.Square() * 0.25,
        ["Relu"] = static (x, _, _) => x.Relu(),
        ["Sum"] = static (x, _, _) => x.Sum(),
        ["SumAxis"] = static (x, _, d) => x.Rank == 0 ? x * 2 : x.Sum(d % x.Rank, keepDims: d % 2 == 0),
        ["Softmax"] = static (x, _, d) => x.Rank == 0 ? x : x.Softmax(d % x.Rank),
        ["Row"] = static (x, _, d) => x.Rank == 0 || x.Shape[0] == 0 ? x + 1 : x[d % x.Shape[0]],
        ["Slice"] = static (x, _, d) => x.Rank == 0 ? x + 1 : x.Slice(d % x.Rank, d % 2 == 0 ? 1 : null, d % 3 == 0 ? -1 : null),
        ["Transpose"] = static (x, _, _) => x.Transpose(),
        ["Flatten"] = static (x, _, _) => x.Reshape(-1),
        ["Concat"] = static (x, y, d) => x.Rank > 0 && x.Type == y.Type ? Nd.Concat([x, y], d % x.Rank) : x.Tanh(),
        ["MatMul"] = static (x, y, _) => x.Rank == 2 && y.Rank == 2 && x.Shape[1] == y.Shape[1] ? Real(x).MatMul(Real(y).Transpose()) : x.Tanh(),
        ["Cast"] = static (x, _, d) => x.AsType(new[] { DType.Float64, DType.Float16, DType.Int32, DType.Float32 }[d % 4]),
        ["Copy"] = static (x, _, _) => x.Copy(),
        ["Detach"] = static (x, _, _) => x.Detach(),
        ["StopGradient"] = static (x, _, _) => x.StopGradient() * x,
        ["ReadGrad"] = static (x, _, _) => x.Grad is { } gradient ? gradient + 0 : x * 3,
        ["Uniform"] = static (x, _, _) => Real(x) + Nd.Random.Uniform(0, 1, x.Shape, device: x.Device),
        ["Dropout"] = static (x, _, _) => Real(x).Dropout(0.5),
        ["Cond"] = static (x, y, _) => Nd.Cond(x.Sum() > y.Sum(), () => x * 2, () => x - 1),
        ["Checkpoint"] = static (x, _, _) => Autograd.Checkpoint(static v => (v * 2).Tanh() * v, Real(x)),
        ["Custom"] = static (x, _, _) => new Doubler().Apply(Real(x))[0],
        ["TakeAt"] = static (x, y, _) => x.Rank == 0 ? x + 2 : x.Take(Indices(x, y.DType.IsFloat ? y.Abs().Sum().AsType(DType.Int32) % (x.Shape[0] + 1) : y)),
        ["Root"] = static (x, _, d) => x.Rank == 2 && x.DType.IsFloat ? (Nd.Eye(x.Shape[0], Real(x).DType, x.Device) * (Number(d) + 0.25) + x.MatMul(x.Transpose())).Cholesky() : x.Sin(),
        ["Weak"] = static (x, _, d) => d % 2 == 0 ? 2 - x : x * 2 + 1,
        ["Mixed"] = static (x, y, d) => Broadcasts(x, y) ? x.AsType(new[] { DType.BFloat16, DType.Int64, DType.UInt8, DType.Bool }[d % 4]) * y : x.Tanh(),
        ["Inside"] = static (x, _, _) => Written(Nd.Zeros(x.Shape, Real(x).DType, x.Device), x),
        ["Read"] = static (x, y, _) => y * x.AsType(DType.Float64).Sum().Item<double>(),
        ["Grad"] = static (x, y, d) => Autograd.Grad(x, y, retainGraph: d % 2 == 0, createGraph: d % 3 == 0),
    };

    /// <summary>What changes something.</summary>
    public static readonly Dictionary<string, Action<NDArray, NDArray, int>> Effects = new()
    {
        ["Assign"] = static (x, y, _) => x.Assign(y),
        ["Update"] = static (x, y, _) => x.Assign(x * 0.5 + y),
        ["Fill"] = static (x, _, d) => x.Fill(Number(d)),
        ["SetRow"] = static (x, y, d) => x[d % 2] = y,
        ["SetColumn"] = static (x, y, d) => x[.., d % 2] = y,
        ["SetAll"] = static (x, y, _) => x[..] = y,
        ["SetValue"] = static (x, _, d) => x.SetValue(Number(d), d % 2),
        ["GradAssign"] = static (x, _, d) => x.Grad!.Assign(x.Grad * 2 + Number(d)),
        ["ZeroGrad"] = static (x, _, _) => x.ZeroGrad(),
        ["Attach"] = static (x, _, d) => x.AttachGrad(d % 2 == 0 ? GradReq.Write : GradReq.Add),
        ["DropGrad"] = static (x, _, _) => x.DropGrad(),
        ["Fresh"] = static (x, _, d) => x.FreshGrad = d % 2 == 0,
        ["Throw"] = static (x, y, d) => Throw(x, y, d),
        ["Backward"] = static (x, _, d) => x.Backward(retainGraph: d % 2 == 0),
        ["BackwardTwo"] = static (x, y, d) => Autograd.Backward([x, y], [x.Detach() * 0.5 + 1, null], retainGraph: d % 2 == 0),
    };

    /// <summary>What the optimizer of the world does.</summary>
    public static readonly Dictionary<string, Action<Optimizer, int>> OptimizerCalls = new()
    {
        ["Step"] = static (o, _) => o.Step(),
        ["ZeroAll"] = static (o, _) => o.ZeroGrad(),
        ["Clip"] = static (o, d) => o.ClipGradNorm(0.5 + d),
        ["Rate"] = static (o, d) => new ExponentialSchedule(o, 0.5).Step(),
    };

    // Always, or where that is seen while a function is traced.
    private static void Throw(NDArray x, NDArray y, int detail)
    {
        bool now = (detail % 6) switch
        {
            0 => true,
            1 => Autograd.IsRecording,
            2 => Autograd.IsTraining,
            3 => x.Rank != y.Rank,
            4 => x.DType != DType.Float32,
            _ => x.GradReq == GradReq.Add,
        };
        if (now) throw new InvalidDataException("no step today");
    }

    private static double Number(int detail) => s_numbers[detail % s_numbers.Length];

    // An accelerator reports an index out of range when something is read from it, wherever that is.
    private static NDArray Indices(NDArray x, NDArray y) => ReferenceEquals(x.Device, Device.Cpu) ? y : y % Math.Max(1, x.Shape[0]);

    private static NDArray Real(NDArray x) => x.DType.IsFloat ? x : x.AsType(DType.Float32);

    private static NDArray Written(NDArray target, NDArray value)
    {
        target.Assign(target + value);
        return target;
    }

    private static bool Broadcasts(NDArray x, NDArray y)
    {
        for (int i = 1; i <= Math.Min(x.Rank, y.Rank); i++)
            if (x.Shape[-i] != y.Shape[-i] && x.Shape[-i] != 1 && y.Shape[-i] != 1) return false;
        return true;
    }

    private sealed class Doubler : Autograd.Function
    {
        protected override IReadOnlyList<NDArray> Forward(IReadOnlyList<NDArray> inputs)
        {
            SaveForBackward(inputs[0]);
            return [inputs[0] * 2 + Nd.Sin(inputs[0])];
        }

        protected override IReadOnlyList<NDArray?> Backward(IReadOnlyList<NDArray> outputGradients) => [outputGradients[0] * 2 + outputGradients[0] * Nd.Cos(SavedArrays[0])];
    }
}
