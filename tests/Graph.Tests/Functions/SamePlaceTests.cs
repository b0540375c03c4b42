namespace Fusion.Tests;

/// <summary>Captured arrays that are handles of one value, at one place of the tape, and cease to be; or of which one knows the place by the compiled call, the other by what that stands for.</summary>
public sealed class SamePlaceTests
{
    private static readonly NDArray s_x = Nd.Array([1f, -2, 3]);

    private static NDArray Variable()
    {
        NDArray w = Nd.Array([0.5f, 2, -1]);
        w.AttachGrad();
        return w;
    }

    /// <summary>Another handle, of the same history.</summary>
    private static NDArray HandleOf(NDArray x)
    {
        using (Autograd.PredictMode()) return x.Dropout();
    }

    /// <summary>A result of a compiled function whose calls are on the tape, another handle of it, and its variable.</summary>
    private static (NDArray Result, NDArray Handle, NDArray Variable) Expanded()
    {
        NDArray w = Variable();
        HybridFunction<Func<NDArray, NDArray>> square = Hybrid.Hybridize(static (NDArray x) => x * x, Check.Strict);
        using (Autograd.Record())
        {
            NDArray result = square.Invoke(w), handle = HandleOf(result);
            Autograd.Grad(result, w, createGraph: true);
            return (result, handle, w);
        }
    }

    [Fact]
    public void AHandleOfAVariableThatIsAttachedAnewKeepsItsGradientToItself()
    {
        NDArray[] Gradients(Func<Func<NDArray, NDArray>, Func<NDArray, NDArray>> make)
        {
            NDArray w = Variable(), handle = HandleOf(w), before = w.Grad!;
            Func<NDArray, NDArray> f = make(x => (x * w + handle * 10).Sum());
            using (Autograd.Record()) f(s_x).Backward();
            NDArray first = w.Grad!.Copy();
            w.AttachGrad();
            using (Autograd.Record()) f(s_x).Backward();
            return [first, before, w.Grad!, handle.Grad!];
        }

        HybridFunction<Func<NDArray, NDArray>>? compiled = null;
        Check.Same(Gradients(static f => f), Gradients(f => (compiled = f.Hybridize(Check.Strict)).Invoke), "gradient");
        Assert.Equal(2, compiled!.Report.VariantCount);
    }

    [Fact]
    public void HandlesOfOneResultShareItsGradientHoweverTheyKnowTheirPlace()
    {
        NDArray Gradient(Func<Func<NDArray, NDArray>, Func<NDArray, NDArray>> make)
        {
            (NDArray result, NDArray handle, NDArray w) = Expanded();
            result.DropGrad();
            Func<NDArray, NDArray> f = make(x => (result * handle * x).Sum());
            NDArray y;
            using (Autograd.Record()) y = f(s_x);
            y.Backward();
            return w.Grad!;
        }

        Check.Same(Gradient(static f => f), Gradient(static f => f.Hybridize(Check.Strict).Invoke));
    }

    [Fact]
    public void AGradientThatIsAttachedToOneHandleOfAResultIsThatOfTheOther()
    {
        (NDArray result, NDArray handle, _) = Expanded();
        result.AttachGrad();
        Assert.Same(result.Grad, handle.Grad);
        Assert.NotNull(handle.Grad);
    }
}
