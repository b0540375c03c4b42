using System.Diagnostics;

namespace Fusion.Tests;

/// <summary>What cannot be traced runs eagerly with one warning and a reason, or throws; what throws leaves everything as it was.</summary>
[Collection(nameof(ProcessState))]
public sealed class FallbackTests
{
    public static TheoryData<string> Reads => ["Item", "ToArray", "AsSpan"];

    [Theory]
    [MemberData(nameof(Reads))]
    public void AValueReadWhileTracingFallsBackWithOneWarning(string read)
    {
        Func<NDArray, NDArray> f = x => x * Read(read, x);
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize();
        using WarningCounter warnings = new();
        for (int i = 1; i <= 3; i++) Check.Same(f(Nd.Full(1, i)), compiled.Invoke(Nd.Full(1, i)));
        Assert.True(compiled.Report.FellBack);
        Assert.Contains("while the function is traced", compiled.Report.FallbackReason, StringComparison.Ordinal);
        Assert.Contains("runs eagerly", compiled.Report.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, warnings.Count);
    }

    [Fact]
    public void TheWarningNamesFunctionAndReason()
    {
        using WarningCounter warnings = new();
        HybridFunction<Func<NDArray, NDArray>> f = ((Func<NDArray, NDArray>)Named).Hybridize();
        f.Invoke(Nd.Ones(1));
        f.Invoke(Nd.Ones(2)[..1]);
        Assert.Equal(1, warnings.Count);
        Assert.Contains(nameof(Named), warnings.Last, StringComparison.Ordinal);
        Assert.Contains("Item", warnings.Last, StringComparison.Ordinal);

        static NDArray Named(NDArray x) => x + x.Item<float>();
    }

    [Fact]
    public void GradientsFlowThroughAFunctionThatFellBack()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * x.Detach().ToArray<float>()[0]);
        NDArray x = Nd.Full(2, 3);
        x.AttachGrad();
        using (Autograd.Record()) f.Invoke(x).Backward();
        Check.Same(Nd.Full(2, 3), x.Grad);
        Assert.True(f.Report.FellBack);
    }

    [Theory]
    [MemberData(nameof(Reads))]
    public void WithoutFallbackItThrows(string read)
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x * Read(read, x), Check.Strict);
        for (int i = 0; i < 2; i++)
            Assert.Contains("while the function is traced", Assert.Throws<HybridizeException>(() => f.Invoke(Nd.Ones(1))).Message, StringComparison.Ordinal);
        Assert.False(f.Report.FellBack);
        Check.Same(Nd.Full(1, 2), Nd.Ones(1) * 2);
    }

    [Fact]
    public void ShapesThatDependOnValuesFallBack()
    {
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => x.BooleanMask(x > 0) * 2);
        Check.Same(Nd.Array([2f, 6]), f.Invoke(Nd.Array([1f, -1, 3])));
        Check.Same(Nd.Array([8f]), f.Invoke(Nd.Array([-1f, 4, -3])));
        Assert.True(f.Report.FellBack);
    }

    /// <summary>A mask that the function captures is a constant of the trace until it is written to.</summary>
    [Fact]
    public void CapturedMasksAreTraced()
    {
        NDArray mask = Nd.Array([true, false, true]), numbers = Nd.Array([1f, 0, 0]), x = Nd.Array([1f, 2, 3]);
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize(
            (NDArray v) => v.BooleanMask(mask) * 2 + v.ExpandDims(1).BooleanMask(Nd.Array([false, true, false], (3, 1))) + numbers.NonZero().AsType(DType.Float32).Sum(), Check.Strict);
        x.AttachGrad();
        for (int i = 0; i < 2; i++)
        {
            using (Autograd.Record()) f.Invoke(x).Sum().Backward();
            Check.Same(Nd.Array([2f, 2, 2]), x.Grad);
        }

        Assert.Equal(1, f.Report.VariantCount);
        Check.Same(Nd.Array([4f, 8]), f.Invoke(x));
        mask.Assign(Nd.Array([true, true, true]));
        Check.Same(Nd.Array([4f, 6, 8]), f.Invoke(x));
        numbers[2] = Nd.Scalar(1);
        Check.Same(Nd.Array([6f, 8, 10]), f.Invoke(x));
    }

    [Fact]
    public void MasksThatTheFunctionWritesFallBack()
    {
        NDArray before = Nd.Array([true, false]), after = Nd.Array([true, false]);
        HybridFunction<Func<NDArray, NDArray>> first = Hybrid.Hybridize((NDArray x) =>
        {
            before.Assign(before.LogicalNot());
            return x.BooleanMask(before) * 2;
        });
        HybridFunction<Func<NDArray, NDArray>> last = Hybrid.Hybridize((NDArray x) =>
        {
            NDArray y = x.BooleanMask(after) * 2;
            after.Assign(after.LogicalNot());
            return y;
        });
        for (int i = 0; i < 4; i++)
        {
            Check.Same(Nd.Array([i % 2 == 0 ? 6f : 2]), first.Invoke(Nd.Array([1f, 3])));
            Check.Same(Nd.Array([i % 2 == 0 ? 2f : 6]), last.Invoke(Nd.Array([1f, 3])));
        }

        Assert.True(first.Report.FellBack);
        Assert.True(last.Report.FellBack);
    }

    [Fact]
    public void ClearTriesAgain()
    {
        bool read = true;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) => read ? x * x.Item<float>() : x * 2);
        f.Invoke(Nd.Ones(1));
        Assert.True(f.Report.FellBack);
        read = false;
        f.Clear();
        Check.Same(Nd.Full(1, 2), f.Invoke(Nd.Ones(1)));
        Assert.False(f.Report.FellBack);
        Assert.Null(f.Report.FallbackReason);
    }

    [Fact]
    public void ExceptionsOfTheFunctionPassThroughAndLeaveTheFlags()
    {
        bool fail = true;
        HybridFunction<Func<NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x) =>
        {
            NDArray y = x * 2;
            using (Autograd.Pause())
                if (fail) throw new KeyNotFoundException("mine");
            return y;
        }, Check.Strict);
        NDArray x = Nd.Ones(3);
        x.AttachGrad();
        using (Autograd.Record(trainMode: false))
        {
            Assert.Equal("mine", Assert.Throws<KeyNotFoundException>(() => f.Invoke(x)).Message);
            Assert.True(Autograd.IsRecording);
            Assert.False(Autograd.IsTraining);
        }

        Assert.False(Autograd.IsRecording);
        Assert.Equal(0, f.Report.VariantCount);
        Assert.False(f.Report.FellBack);
        Assert.Equal(2, (x * 2).ToArray<float>()[0]);
        fail = false;
        using (Autograd.Record()) f.Invoke(x).Backward();
        Check.Same(Nd.Full(3, 2), x.Grad);
    }

    [Fact]
    public void ErrorsOfOperatorsAreThrownWhileTracingAsEagerly()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray y) => x.MatMul(y));
        string eager = Assert.Throws<ShapeException>(() => Nd.Ones((2, 3)).MatMul(Nd.Ones((4, 2)))).Message;
        Assert.Equal(eager, Assert.Throws<ShapeException>(() => f.Invoke(Nd.Ones((2, 3)), Nd.Ones((4, 2)))).Message);
        Check.Same(Nd.Full((2, 2), 3), f.Invoke(Nd.Ones((2, 3)), Nd.Ones((3, 2))));
        Assert.False(f.Report.FellBack);
    }

    [Fact]
    public void ErrorsOfValuesAreThrownByThePlanAndTheNextCallWorks()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray i) => (x * 2).Take(i) + 1, Check.Strict);
        NDArray x = TestArrays.Uniform((3, 2));
        for (int call = 0; call < 2; call++)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => f.Invoke(x, Nd.Array([0, 5])));
            Check.Same((x * 2).Take(Nd.Array([2, 0])) + 1, f.Invoke(x, Nd.Array([2, 0])));
        }
    }

    [Fact]
    public void NullsAndDisposedInputsAreNamed()
    {
        HybridFunction<Func<NDArray, NDArray, NDArray>> f = Hybrid.Hybridize((NDArray x, NDArray y) => x + y);
        Assert.Throws<ArgumentNullException>(() => f.Invoke(Nd.Ones(1), null!));
        NDArray gone = Nd.Ones(1);
        gone.Dispose();
        Assert.Throws<ObjectDisposedException>(() => f.Invoke(Nd.Ones(1), gone));
        Assert.Throws<ArgumentNullException>(() => ((Func<NDArray, NDArray>)null!).Hybridize());
        Assert.False(f.Report.FellBack);
    }

    [Fact]
    public void AFunctionThatReturnsNullIsNotHybridized()
    {
        HybridFunction<Func<NDArray, NDArray>> array = Hybrid.Hybridize((NDArray x) => (NDArray)null!, Check.Strict);
        Assert.Contains("null", Assert.Throws<HybridizeException>(() => array.Invoke(Nd.Ones(1))).Message, StringComparison.Ordinal);
        HybridFunction<ListFunction> list = Hybrid.Hybridize(static (IReadOnlyList<NDArray> x) => null!, Check.Strict);
        Assert.Contains("null", Assert.Throws<HybridizeException>(() => list.Invoke([])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ASymbolThatEscapedIsNamedWhenItIsUsed()
    {
        NDArray? escaped = null;
        Hybrid.Hybridize((NDArray x) => escaped = x * 2, Check.Strict).Invoke(Nd.Ones(3));
        Assert.Contains("trace", Assert.Throws<InvalidOperationException>(() => escaped! + 1).Message, StringComparison.Ordinal);
        Assert.Throws<HybridizeException>(() => Hybrid.Hybridize((NDArray x) => x + escaped!, Check.Strict).Invoke(Nd.Ones(3)));
    }

    private static float Read(string how, NDArray x) => how switch
    {
        "Item" => x.Item<float>(),
        "ToArray" => x.ToArray<float>()[0],
        _ => x.AsSpan<float>()[0],
    };

    private sealed class WarningCounter : TraceListener
    {
        public WarningCounter() => Trace.Listeners.Add(this);

        public int Count { get; private set; }

        public string Last { get; private set; } = string.Empty;

        public override void TraceEvent(TraceEventCache? eventCache, string source, TraceEventType eventType, int id, string? message)
        {
            if (message?.StartsWith("Fusion:", StringComparison.Ordinal) != true) return;
            Count++;
            Last = message;
        }

        public override void TraceEvent(TraceEventCache? eventCache, string source, TraceEventType eventType, int id, string? format, params object?[]? args) =>
            TraceEvent(eventCache, source, eventType, id, format);

        public override void Write(string? message) { }

        public override void WriteLine(string? message) { }

        protected override void Dispose(bool disposing)
        {
            Trace.Listeners.Remove(this);
            base.Dispose(disposing);
        }
    }

    /// <summary>A function that catches what the trace throws would be compiled for the way that it goes then.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatTheTraceThrowsIsNotHiddenByTheFunction(bool wraps)
    {
        NDArray x = Nd.Array([1f, 2, 3]);
        Func<NDArray, NDArray> f = v =>
        {
            try
            {
                return v * v.Sum().Item<float>();
            }
            catch (Exception e) when (!wraps)
            {
                return v.ZerosLike() + e.Message.Length;
            }
            catch (Exception e)
            {
                throw new InvalidOperationException("no sum", e);
            }
        };
        HybridFunction<Func<NDArray, NDArray>> compiled = f.Hybridize();
        Check.Same(f(x), compiled.Invoke(x));
        Assert.StartsWith("Item reads a value", compiled.Report.FallbackReason, StringComparison.Ordinal);
        Assert.Throws<HybridizeException>(() => f.Hybridize(Check.Strict).Invoke(x));
    }
}
