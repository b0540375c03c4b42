namespace Fusion;

/// <summary>A gradient was written by backward, or consumed by an optimizer.</summary>
internal sealed class FreshEffect(Variable variable, bool value) : HostEffect
{
    private bool _before;

    public Variable Variable => variable;

    public bool Value => value;

    public override object Owner => variable;

    public override bool Overwrites => true;

    public override void Make()
    {
        _before = variable.FreshNow;
        variable.FreshNow = value;
    }

    public override void Undo() => variable.FreshNow = _before;

    public override Action Keep()
    {
        bool fresh = variable.FreshNow;
        return () => variable.FreshNow = fresh;
    }
}
