namespace Fusion;

/// <summary>When a compiled function is checked against the eager one.</summary>
public enum HybridVerify
{
    /// <summary>Never.</summary>
    Off,

    /// <summary>At the first call of each variant.</summary>
    FirstCall,

    /// <summary>At every call.</summary>
    Always,
}

/// <summary>How a function is hybridized. The device is that of the inputs.</summary>
public sealed record HybridOptions
{
    /// <summary>
    /// Permits rewrites that change rounding, such as x/c = x·(1/c), and some that hold for finite numbers only, such as x·0 = 0. Results then differ from the
    /// eager ones by rounding, and verification allows for that. Without it, results have the eager bits.
    /// </summary>
    public bool FastMath { get; init; }

    /// <summary>
    /// Runs the eager function beside the compiled one and throws <see cref="HybridizeException"/> where a bit differs, naming the first operator that diverges
    /// with its source line. Makes tracing slower, since every operator is traced with its line.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is none of <see cref="HybridVerify"/>.</exception>
    public HybridVerify Verify
    {
        get;
        init
        {
            if (value is < HybridVerify.Off or > HybridVerify.Always) throw new ArgumentOutOfRangeException(nameof(value), value, $"Verify: {value} is not Off, FirstCall or Always.");
            field = value;
        }
    }

    /// <summary>
    /// Variants (shapes, types, flags) that are kept; the one that was not used for longest goes first. 0 keeps the last one only. Where many more shapes come, most of
    /// them once, those run eagerly, to the same bits.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The number is negative.</exception>
    public int MaxVariants
    {
        get;
        init
        {
            if (value < 0) throw new ArgumentOutOfRangeException(nameof(value), value, $"MaxVariants: {value} is negative.");
            field = value;
        }
    } = 64;

    /// <summary>A function that cannot be traced runs eagerly, with the reason in the report; otherwise <see cref="HybridizeException"/> is thrown.</summary>
    public bool FallbackToEager { get; init; } = true;

    /// <summary>The first calls of a variant run eagerly while its kernels are compiled on another thread.</summary>
    public bool CompileInBackground { get; init; }

    /// <summary>
    /// A compiled training step writes the <c>.Grad</c> of its variables, as eagerly. Otherwise buffers whose old values the step does not read are left alone;
    /// a gradient that nothing consumes inside the step then stays stale. The buffers of a step that updates first, with the gradients of the call before, and then
    /// differentiates are read, and written in any case.
    /// </summary>
    public bool KeepGradients { get; init; } = true;

    /// <summary>
    /// Measures every launch with a clock, and has the report compare it with what the cost model predicts and with the bandwidth of a copy of as many bytes.
    /// For looking at a function, not for production: the clock and, on an accelerator, waiting after every launch cost time.
    /// </summary>
    public bool Profile { get; init; }
}
