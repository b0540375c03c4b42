namespace Fusion;

/// <summary>A request for a gradient: the mark of a leaf, or of an intermediate result whose gradient is wanted too.</summary>
internal sealed class Variable(NDArray array, NDArray gradient, GradReq request)
{
    public NDArray Array { get; } = array;

    public NDArray Gradient { get; } = gradient;

    public GradReq Request { get; } = request;

    public bool Fresh { get; set; }

    /// <summary>Delivers the sum of all paths of one backward.</summary>
    /// <param name="value">The gradient.</param>
    /// <param name="owned">Nobody else holds <paramref name="value"/>: its storage may be taken over.</param>
    public void Deliver(NDArray value, bool owned)
    {
        if (value.DType != Gradient.DType)
        {
            value = Movement.Cast(value, Gradient.DType);
            owned = true;
        }

        if (Request == GradReq.Add) Elements.AddInto(Gradient, value);
        else Gradient.Adopt(value, owned);
        Fresh = true;
    }
}
