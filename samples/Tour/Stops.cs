using Fusion;

namespace Tour;

/// <summary>The stops of the tour. Each prints and returns whether it holds.</summary>
internal static class Stops
{
    public static bool Scopes()
    {
        NDArray x = Nd.Ones(6);
        bool outside = Autograd.IsRecording;
        using (Autograd.Record())
        {
            bool training = Autograd.IsRecording && Autograd.IsTraining;
            NDArray dropped = x.Dropout(0.5);
            using (Autograd.PredictMode())
            {
                NDArray kept = x.Dropout(0.5);
                Console.WriteLine($"training: {dropped.ToLine()}, prediction: {kept.ToLine()}");
                using (Autograd.Pause()) return !outside && training && !Autograd.IsRecording && kept.ToArray<float>().All(static v => v == 1);
            }
        }
    }

    public static bool Heads()
    {
        NDArray x = Nd.Array([1f, 2, 3]);
        x.AttachGrad();
        NDArray square, cube;
        using (Autograd.Record()) (square, cube) = (x.Square(), x * x * x);
        Autograd.Backward([square, cube], [null, Nd.Full(3, 10)]);
        Console.WriteLine($"2x + 10 · 3x² at {x.ToLine()}: {x.Grad!.ToLine()}");
        return x.Grad!.ToArray<float>() is [32, 124, 276];
    }

    public static bool HigherOrders()
    {
        NDArray x = Nd.Scalar(0.5, DType.Float64);
        x.AttachGrad();
        double[] derivatives = new double[5];
        using (Autograd.Record())
        {
            NDArray y = x.Sin();
            for (int order = 0; order < derivatives.Length; order++)
            {
                derivatives[order] = y.Item<double>();
                y = Autograd.Grad(y, x, createGraph: true);
            }
        }

        Console.WriteLine($"sin, cos, −sin, −cos, sin at 0.5: {string.Join(", ", derivatives.Select(static d => $"{d:F6}"))}");
        return derivatives[4] == derivatives[0] && derivatives[3] == -derivatives[1] && Math.Abs(derivatives[1] - Math.Cos(0.5)) < 1e-15;
    }

    public static bool CustomFunction()
    {
        NDArray weight = Nd.Array([0.3f, 1.7f, -2.2f]);
        weight.AttachGrad();
        StraightThrough round = new();
        using (Autograd.Record()) round.Apply(weight)[0].Square().Sum().Backward();
        Console.WriteLine($"gradient of Σ round(w)² at {weight.ToLine()}: {weight.Grad!.ToLine()}");
        return weight.Grad!.ToArray<float>() is [0, 4, -4];
    }

    public static bool Checkpoint()
    {
        NDArray x = Nd.Linspace(-1, 1, 100_000);
        x.AttachGrad();
        (float[] kept, long all) = Measure(x, static (f, v) => f(v));
        (float[] again, long little) = Measure(x, Autograd.Checkpoint);
        Console.WriteLine($"memory at the end of forward: {all / 1e6:F1} MB, with checkpoints {little / 1e6:F1} MB");
        return kept.AsSpan().SequenceEqual(again) && little < all / 2;

        static (float[] Gradient, long Bytes) Measure(NDArray x, Func<Func<NDArray, NDArray>, NDArray, NDArray> call)
        {
            long before = LiveBytes(), bytes;
            using (Autograd.Record())
            {
                NDArray y = x;
                for (int block = 0; block < 4; block++) y = call(static v => (v.Sin() * v.Exp()).Tanh().Sigmoid() - 0.5, y);
                bytes = LiveBytes() - before;
                y.Backward();
            }

            return (x.Grad!.ToArray<float>(), bytes);
        }

        // What nobody holds is not counted once the collector has seen it.
        static long LiveBytes()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return FusionRuntime.LiveBytes;
        }
    }

    public static bool SymbolText()
    {
        NDArray x = Nd.Ones((2, 3)), w = Nd.Ones((3, 4));
        w.AttachGrad();
        Symbol symbol;
        using (Autograd.Record()) symbol = Autograd.GetSymbol((x.MatMul(w) + 1).Relu());
        Console.Write(symbol);
        return symbol.ListArguments().Count == 2 && symbol.Nodes[^1].Op == "Relu";
    }

    public static bool Hybridized()
    {
        Func<NDArray, NDArray> f = static x => (x.Sin() * x.Exp()).Tanh().Sum();
        NDArray x = Nd.Linspace(-2, 2, 1000);
        x.AttachGrad();
        float[] eager = Curvature(f, x);
        var compiled = f.Hybridize();
        float[] fused = Curvature(compiled.Invoke, x);
        Console.Write(compiled.Report);
        return eager.AsSpan().SequenceEqual(fused);

        static float[] Curvature(Func<NDArray, NDArray> f, NDArray x)
        {
            using (Autograd.Record()) Autograd.Grad(f(x), x, createGraph: true).Backward();
            return x.Grad!.ToArray<float>();
        }
    }

    private static string ToLine(this NDArray x) => $"({string.Join(", ", x.ToArray<float>())})";
}
