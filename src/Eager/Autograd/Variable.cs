using Fusion.Kernels;

namespace Fusion;

/// <summary>A request for a gradient: the mark of a leaf, or of an intermediate result whose gradient is wanted too.</summary>
internal sealed class Variable(NDArray array, NDArray gradient, GradReq request)
{
    private readonly Lock _lock = new();

    public NDArray Array { get; } = array;

    public NDArray Gradient { get; } = gradient;

    /// <summary>Null: a place where gradients end, without a buffer.</summary>
    public GradReq Request { get; } = request;

    /// <summary>It stands for that of an array outside, in a trace: whether that is fresh is not known until the traced code has said so.</summary>
    public bool StandsForAnother { get; init; }

    /// <summary>What the traced code has made of <see cref="Fresh"/> where this stands for another; null: nothing.</summary>
    public bool? FreshSet { get; private set; }

    /// <summary>Backward has written the gradient and nobody has consumed it. While a function is traced, reading is a guard and writing an effect.</summary>
    public bool Fresh
    {
        get
        {
            if (ExecutionState.Current.Tracer is { } tracer)
            {
                if (StandsForAnother) return FreshSet ?? throw tracer.ValueRead("FreshGrad of an input");
                if (!Array.IsSymbolic) GuardFresh(tracer);
            }

            return FreshNow;
        }
        set
        {
            if (StandsForAnother) FreshSet = value;
            else if (ExecutionState.Current.Tracer is { } tracer && !Array.IsSymbolic) tracer.Effect(new FreshEffect(this, value));
            else FreshNow = value;
        }
    }

    /// <summary>The flag itself.</summary>
    public bool FreshNow { get; set; }

    /// <summary>Delivers the sum of all paths of one backward. Threads that share a variable deliver one after the other.</summary>
    /// <param name="value">The gradient.</param>
    /// <param name="owned">Nobody else holds <paramref name="value"/>: its storage may be taken over.</param>
    public void Deliver(NDArray value, bool owned)
    {
        if (ExecutionState.Current.Tracer is not null)
        {
            value = Elements.To(value, Gradient.DType);
            Gradient.TraceWrite("Backward", Request == GradReq.Add ? OpTable.Add.Apply(Gradient, value) : value);
            Fresh = true;
            return;
        }

        if (value.DType != Gradient.DType)
        {
            value = Movement.Cast(value, Gradient.DType);
            owned = true;
        }

        GpuDevice? device = Array.IsOnGpu || Array.HasData ? Array.Accelerator : value.Accelerator;
        if (value.Accelerator != device)
        {
            // A number of the processor among arrays of a device: its gradient lies where it lies.
            value = Movement.CopyToDevice(value, device);
            owned = true;
        }

        lock (_lock)
        {
            if (Gradient.Accelerator != device) Gradient.Adopt(Movement.CopyToDevice(Gradient, device), sourceDies: true);
            if (Request == GradReq.Add) Elements.AddInto(Gradient, value);
            else if (value.IsContiguous) Gradient.Adopt(value, owned);
            else Gradient.Assign(value); // A broadcast view would keep AsSpan from working on the buffer.
            Fresh = true;
        }
    }

    private void GuardFresh(Tracer tracer)
    {
        bool value = FreshNow;
        tracer.Guard(this, () => FreshNow == value);
    }
}
